"""Second step of a shard: cut what has no stored vectors into chunks, and check documents and chunks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.compute as pc

from nightjar.artifacts import (
    CHUNKS,
    MANIFEST,
    chunk_rows,
    elements_key,
    rows_table,
    shard_key,
    unpack_elements,
    vectors_key,
)
from nightjar.clock import stopwatch
from nightjar.errors import BadDocument, Code, Misconfigured
from nightjar.flows.checks import about_document, check_chunks, check_documents
from nightjar.flows.listing import within
from nightjar.flows.manifests import indexed
from nightjar.flows.parallel import in_order
from nightjar.flows.rows import Row, failed, is_unfinished
from nightjar.flows.runs import Run, read_json, read_table, write_json, write_table
from nightjar.flows.services import Services
from nightjar.model import Chunk, ParsedDocument
from nightjar.stages.chunk import ChunkRules, chunk, usual_tokens

log = logging.getLogger(__name__)


def chunk_shard(services: Services, run: Run, shard: int) -> Mapping[str, Any]:
    """Chunk and check one shard. Returns the step's report."""
    done = read_json(services, run, f"shards/{shard:04d}/chunked.json")
    if done is not None:
        return dict(done)
    elapsed = stopwatch()
    parsed = read_table(services, shard_key(run.run_id, shard, "parsed.parquet"))
    if parsed is None:
        raise Misconfigured(f"shard {shard} of run {run.run_id} was not parsed: clear its parse task first")
    rows: list[Row] = parsed.to_pylist()
    missing = _contents_to_make(services, run, rows)
    documents, lost = _load_elements(services, missing)
    verdicts = lost | check_documents(services, documents)
    kept = {key: document for key, document in documents.items() if key not in verdicts}
    chunks, chunk_seconds = _cut(services, kept)
    verdicts |= {key: (Code.NO_TEXT, "No text was left to index.") for key, made in chunks.items() if not made}
    verdicts |= check_chunks(services, {key: made for key, made in chunks.items() if made})
    chunks = {key: made for key, made in chunks.items() if key not in verdicts}
    rows = [_judged(services, run, row, verdicts) for row in rows]
    report = {
        "documents": len(chunks),
        "chunks": sum(len(made) for made in chunks.values()),
        "rejected": sum(1 for row in rows if row["failure_stage"] == "check"),
        "chunk_seconds": chunk_seconds,
        "seconds": elapsed(),
    }
    about = {key: about_document(document) for key, document in kept.items() if key in chunks}
    flat = (row for key, made in chunks.items() for row in chunk_rows(key, made))
    write_table(services, shard_key(run.run_id, shard, "chunks.parquet"), rows_table(flat, CHUNKS))
    write_table(services, shard_key(run.run_id, shard, "checked.parquet"), rows_table(rows, MANIFEST))
    write_json(services, run, f"shards/{shard:04d}/chunked.json", {**report, "about": about})
    log.info("chunked run=%s shard=%d %s", run.run_id, shard, " ".join(f"{k}={v}" for k, v in report.items()))
    return report


def _contents_to_make(services: Services, run: Run, rows: Iterable[Row]) -> dict[str, str]:
    """Content key → parse recipe, of those without stored vectors; or all, where that was asked for.

    Vectors are stored by content, so that a limited run makes nothing again that stands outside, too.
    """
    contents = {row["content_key"]: row["parse_recipe"] for row in rows if is_unfinished(row)}
    again = run.options.makes_again("embed")
    if again and not run.options.is_limited:
        return contents
    keys = {content: vectors_key(run.recipe.upto("embed", parse=parse), content) for content, parse in contents.items()}
    kept = _vectors_outside(services, run) if again else set(keys.values())
    stand = [key for key in keys.values() if key in kept]
    stored = {key for key, stands in zip(stand, in_order(services.state.exists, stand), strict=True) if stands}
    return {content: contents[content] for content, key in keys.items() if key not in stored}


def _vectors_outside(services: Services, run: Run) -> set[str]:
    """Where the vectors of documents lie that the run must not touch."""
    base = indexed(run.base(services))
    inside = within(base, services.corpus, run.options, base=base)
    outside = base.filter(pc.invert(pc.is_in(base["uri"], inside["uri"].combine_chunks())))
    rows = outside.select(["embed_recipe", "content_key"]).to_pylist()
    return {vectors_key(row["embed_recipe"], row["content_key"]) for row in rows}


def _load_elements(
    services: Services, contents: Mapping[str, str]
) -> tuple[dict[str, ParsedDocument], dict[str, tuple[Code, str]]]:
    """The parsed documents; those whose elements are gone are failures of the moment and are parsed again next time."""

    def load(content: str) -> ParsedDocument | None:
        key = elements_key(contents[content], content)
        stored = services.state.read(key)
        return unpack_elements(stored.data, key=key) if stored else None

    loaded = dict(zip(contents, in_order(load, list(contents)), strict=True))
    lost = {
        key: (Code.UNREADABLE, "Its stored elements are gone: the next run parses it again.")
        for key, document in loaded.items()
        if document is None
    }
    return {key: document for key, document in loaded.items() if document is not None}, lost


def _cut(services: Services, documents: Mapping[str, ParsedDocument]) -> tuple[dict[str, tuple[Chunk, ...]], float]:
    if not documents:
        return {}, 0.0
    elapsed = stopwatch()
    rules = rules_of(services)
    tokenizer = services.tokenizer()
    chunks = {}
    for key, document in documents.items():
        chunks[key] = chunk(document, tokenizer=tokenizer, rules=rules)
        services.progress("chunk", len(chunks), len(documents))
    return chunks, elapsed()


def rules_of(services: Services) -> ChunkRules:
    """The corpus file's `chunk` block as the stage wants it; the usual size for the model where none is given."""
    block, tokenizer = services.corpus.chunk, services.tokenizer()
    if block.max_tokens is not None and block.max_tokens > tokenizer.max_tokens:
        raise Misconfigured(
            f"chunk.max_tokens is {block.max_tokens}, but {services.corpus.embed.model} reads {tokenizer.max_tokens}"
            " tokens of a text: lower it, or take it out"
        )
    return ChunkRules(
        max_tokens=block.max_tokens or usual_tokens(tokenizer),
        overlap_tokens=block.overlap_tokens,
        headings=block.headings,
        prompt_tokens=len(tokenizer.offsets(services.corpus.embed.document_prompt)),
    )


def _judged(services: Services, run: Run, row: Row, verdicts: Mapping[str, tuple[Code, str]]) -> Row:
    if not is_unfinished(row) or row["content_key"] not in verdicts:
        return row
    code, reason = verdicts[row["content_key"]]
    bad = BadDocument(row["document_id"], code, reason)
    return failed(services, run, row, bad, stage="check")
