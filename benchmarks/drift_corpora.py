"""Retrieval sets as samples: parsed, chunked and embedded once, then read from a cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from development_data import development_data
from retrieval_offline import parsed

from nightjar.adapters.embedder.model_files import locate
from nightjar.adapters.embedder.tokenizer import ModelTokenizer
from nightjar.adapters.embedder.transformer import TransformerEmbedder
from nightjar.adapters.parser import sentences
from nightjar.artifacts import SAMPLE, from_parquet, rows_table, to_parquet
from nightjar.model import document_id_of, sha256
from nightjar.stages.chunk import ChunkRules, chunk

MODEL: Final = "sentence-transformers/all-MiniLM-L6-v2"
_RULES: Final = ChunkRules(max_tokens=128)


def corpus(name: str, *, below: str = "", limit: int, cache: Path) -> pa.Table:
    """Rows of `SAMPLE` for the first `limit` documents of a retrieval set, perhaps only those of one folder."""
    kept = cache / f"{name}{below and '-' + below}-{limit}.parquet"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(to_parquet(_embedded(name, below=below, limit=limit, cache=cache)))
    return from_parquet(kept.read_bytes(), key=str(kept))


def embedder(cache: Path) -> TransformerEmbedder:
    """The default model, as every corpus has it that names no other."""
    return TransformerEmbedder(locate(MODEL, revision=None), cache_folder=cache / "models")


def _embedded(name: str, *, below: str, limit: int, cache: Path) -> pa.Table:
    sentences.install()
    home = development_data(f"retrieval/{name}/corpus")
    files = sorted(file for file in (home / below).rglob("*") if file.is_file())
    # An order that has nothing to do with names, so that a limit takes no folder before another.
    files = sorted(files, key=lambda file: sha256(file.name))[:limit]
    tokenizer = ModelTokenizer(locate(MODEL, revision=None))
    rows = [row for file in files for row in _rows(file, home, tokenizer)]
    vectors = embedder(cache).embed(
        [f"{row['context']}\n{row['text']}" if row["context"] else row["text"] for row in rows]
    )
    return rows_table((row | {"vector": vector} for row, vector in zip(rows, vectors, strict=True)), SAMPLE)


def _rows(file: Path, home: Path, tokenizer: ModelTokenizer) -> Iterator[dict[str, Any]]:
    content, uri = parsed(file), f"s3://documents/{file.relative_to(home).as_posix()}"
    about = {
        "document_id": document_id_of(uri),
        "source_uri": uri,
        "content_key": sha256(file.read_bytes()),
        "embed_recipe": "benchmark",
        "vectors": "",
        "title": content.title,
        "media_type": content.media_type,
        "language": content.language,
        "size": file.stat().st_size,
    }
    for made in chunk(content, tokenizer=tokenizer, rules=_RULES):
        told = {name: getattr(made, name) for name in ("ordinal", "text", "context", "token_count")}
        yield about | told
