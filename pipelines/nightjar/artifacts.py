"""State at rest: where each object lies below a corpus's prefix, and how it is written as Parquet.

Keys are content-addressed or belong to one run; users' object keys never become part of them. `docs/state.md`
describes every column.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nightjar.errors import Misconfigured
from nightjar.imports import barred
from nightjar.model import Chunk, ContentKey, Element, EmbeddedChunk, ParsedDocument, sha256

# Arrow looks for pandas once, at its first array, and imports it where it is: a quarter of a second a command.
with barred("pandas"):
    pa.array([0])

FORMAT: Final = 1
LIVE: Final = "live.json"
LEASE: Final = "lease.json"
ACCESS: Final = "access.parquet"
WITHHELD: Final = "withheld.json"
ERASED: Final = "erased.json"
SWEEP: Final = "sweep.json"
ELEMENTS_PREFIX: Final = "elements/"
VECTORS_PREFIX: Final = "vectors/"
MANIFESTS_PREFIX: Final = "manifests/"
BUCKETS: Final = 16

ELEMENTS: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("text", pa.string()),
        ("page", pa.int32()),
        ("depth", pa.int32()),
        ("table_html", pa.string()),
    ]
)
CHUNKS: Final = pa.schema(
    [
        ("content_key", pa.string()),
        ("ordinal", pa.int32()),
        ("text", pa.string()),
        ("context", pa.string()),
        ("heading_path", pa.list_(pa.string())),
        ("page_first", pa.int32()),
        ("page_last", pa.int32()),
        ("token_count", pa.int32()),
        ("element_type", pa.string()),
        ("table_html", pa.string()),
    ]
)
MANIFEST: Final = pa.schema(
    [
        ("document_id", pa.string()),
        ("uri", pa.string()),
        ("key", pa.string()),
        # what was attempted last
        ("etag", pa.string()),
        ("size", pa.int64()),
        ("modified_us", pa.int64()),
        ("sidecar_etag", pa.string()),
        ("sidecar_size", pa.int64()),
        ("sidecar_modified_us", pa.int64()),
        ("attempted_parse", pa.string()),
        ("attempted_check", pa.string()),
        ("attempted_content", pa.string()),
        ("failure_stage", pa.string()),
        ("failure_code", pa.string()),
        ("failure_reason", pa.string()),
        ("attempts", pa.int32()),
        ("first_failed_at", pa.string()),
        ("last_failed_at", pa.string()),
        # what is indexed; null content_key: nothing
        ("content_key", pa.string()),
        ("digest", pa.string()),
        ("media_type", pa.string()),
        ("charset", pa.string()),
        ("parse_recipe", pa.string()),
        ("chunk_recipe", pa.string()),
        ("embed_recipe", pa.string()),
        ("parse_settings", pa.string()),
        ("chunk_settings", pa.string()),
        ("space", pa.string()),
        ("chunks", pa.int32()),
        ("tokens", pa.int64()),
        ("title", pa.string()),
        ("language", pa.string()),
        ("sketch", pa.string()),
        ("vectors", pa.string()),
        ("document_modified_us", pa.int64()),
        ("object_metadata", pa.string()),
        ("sidecar", pa.string()),
        ("fields", pa.string()),
        ("acl", pa.list_(pa.string())),
        ("set_aside", pa.int32()),
    ]
)
SAMPLE: Final = pa.schema(
    [
        ("document_id", pa.string()),
        ("source_uri", pa.string()),
        ("content_key", pa.string()),
        ("embed_recipe", pa.string()),
        ("vectors", pa.string()),
        ("title", pa.string()),
        ("media_type", pa.string()),
        ("language", pa.string()),
        ("size", pa.int64()),
        ("ordinal", pa.int32()),
        ("text", pa.string()),
        ("context", pa.string()),
        ("token_count", pa.int32()),
        ("vector", pa.list_(pa.float32())),
    ]
)
CANARY: Final = pa.schema([("text_digest", pa.string()), ("vector", pa.list_(pa.float32()))])
ACCESS_ROWS: Final = pa.schema(
    [
        ("document_id", pa.string()),
        ("acl", pa.list_(pa.string())),
        ("changed", pa.int64()),
        # the document itself says who may read it; false: the corpus file's rules do; null: not known
        ("named", pa.bool_()),
        # a sidecar that changed groups alone, which no version remembers
        ("sidecar_seen", pa.bool_()),
        ("sidecar_etag", pa.string()),
        ("sidecar_size", pa.int64()),
        ("sidecar_modified_us", pa.int64()),
        ("sidecar", pa.string()),
    ]
)
WITHHELD_DOCUMENTS: Final = pa.schema(
    [("document_id", pa.string()), ("uri", pa.string()), ("size", pa.int64()), ("first_missed", pa.string())]
)


def content_key_of(digest: str, media_type: str, charset: str) -> ContentKey:
    """Names what a parser would see: the same bytes read as another type are another content."""
    return ContentKey(sha256(f"{digest}|{media_type}|{charset}"))


def elements_key(recipe: str, content: str) -> str:
    """Key of a content's parsed elements."""
    return f"{ELEMENTS_PREFIX}{recipe}/{content[:2]}/{content}.parquet"


def vectors_prefix(recipe: str) -> str:
    """Below it lies every content's vectors of one embed recipe."""
    return f"{VECTORS_PREFIX}{recipe}/"


def vectors_key(recipe: str, content: str) -> str:
    """Key of a content's chunks and vectors."""
    return f"{vectors_prefix(recipe)}{content[:2]}/{content}.parquet"


def content_keys(prefix: str, *, recipes: pa.ChunkedArray, contents: pa.ChunkedArray) -> pa.ChunkedArray:
    """What `elements_key` or `vectors_key` says of many contents at once; null where either column is."""
    name = pc.binary_join_element_wise(contents, ".parquet", "")
    return pc.binary_join_element_wise(
        prefix.removesuffix("/"), recipes, pc.utf8_slice_codeunits(contents, 0, 2), name, "/"
    )


def version_key(number: int, name: str = "version.json") -> str:
    """Key of a version's record, or of a report beside it."""
    return f"versions/{number:06d}/{name}"


def collection_key(name: str) -> str:
    """Key of what is checked out in a collection."""
    return f"collections/{name}.json"


def withheld_key(digest: str) -> str:
    """Key of one list of withheld deletions; `withheld.json` names the list that holds."""
    return f"withheld/{digest}.parquet"


def run_key(run_id: str, name: str) -> str:
    """Key of something that belongs to one run; the run's id is hashed where it is not a plain word."""
    plain = run_id if run_id.replace("-", "").replace("_", "").isalnum() else sha256(run_id)[:24]
    return f"runs/{plain}/{name}"


def shard_key(run_id: str, shard: int, name: str) -> str:
    """Key of one shard's intermediate or final outcome."""
    return run_key(run_id, f"shards/{shard:04d}/{name}")


def to_parquet(table: pa.Table) -> bytes:
    """Zstandard-compressed Parquet; equal tables give equal bytes with the same library."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def from_parquet(data: bytes, *, key: str) -> pa.Table:
    """The table in `data`.

    Raises:
        Misconfigured: the object `key` is damaged; it is named, never guessed around.
    """
    try:
        return pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)  # half the time of pq.read_table
    except (pa.ArrowInvalid, OSError) as error:
        raise Misconfigured(
            f"the state object {key} is damaged ({error}): restore it from the bucket's backup"
        ) from error


def rows_table(rows: Iterable[Mapping[str, object]], schema: pa.Schema) -> pa.Table:
    """A table of `schema` from rows; absent names become nulls."""
    listed = list(rows)
    return pa.table({f.name: pa.array([row.get(f.name) for row in listed], f.type) for f in schema}, schema=schema)


def pack_elements(document: ParsedDocument) -> bytes:
    """A parsed document as Parquet; what is said of the whole document stands in the schema's metadata."""
    whole = {k: v for k, v in asdict(document).items() if k != "elements"}
    table = rows_table((asdict(e) for e in document.elements), ELEMENTS)
    return to_parquet(table.replace_schema_metadata({"document": json.dumps(whole)}))


def unpack_elements(data: bytes, *, key: str) -> ParsedDocument:
    """The reverse of `pack_elements`."""
    table = from_parquet(data, key=key)
    whole = json.loads(table.schema.metadata[b"document"])
    elements = tuple(Element(**row) for row in table.to_pylist())
    return ParsedDocument(**{**whole, "notes": tuple(whole["notes"])}, elements=elements)


def chunk_rows(content: str, chunks: Iterable[Chunk]) -> list[dict[str, object]]:
    """Rows of `CHUNKS` for one content."""
    return [{"content_key": content, **asdict(c), "heading_path": list(c.heading_path)} for c in chunks]


def rows_to_chunks(table: pa.Table) -> list[Chunk]:
    """The chunks of a table with the columns of `CHUNKS`, in its order; other columns are ignored."""
    names = [n for n in CHUNKS.names if n != "content_key"]
    return [Chunk(**{**r, "heading_path": tuple(r["heading_path"])}) for r in table.select(names).to_pylist()]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedContent:
    """One content as it is indexed: what is said of the whole, and its chunks with vectors.

    `sketch` is the content's text for comparing with others' (`stages.repeats`), packed as a word.
    """

    title: str
    language: str
    sketch: str
    chunks: tuple[EmbeddedChunk, ...]

    @property
    def vectors_digest(self) -> str:
        """Changes when any vector does, bit by bit: models are not bit-stable, so equal recipes prove nothing."""
        return sha256(b"".join(np.asarray(e.vector, "<f4").tobytes() for e in self.chunks))[:16]

    @property
    def tokens(self) -> int:
        """What the model read in all."""
        return sum(e.chunk.token_count for e in self.chunks)


def pack_vectors(content: EmbeddedContent) -> bytes:
    """One content's chunks with their vectors; holds no document id, so that copies share it."""
    table = rows_table(chunk_rows("", (e.chunk for e in content.chunks)), CHUNKS).drop_columns(["content_key"])
    matrix = np.stack([e.vector for e in content.chunks]).astype("<f4")
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])
    about = json.dumps({"title": content.title, "language": content.language, "sketch": content.sketch})
    return to_parquet(table.append_column("vector", vectors).replace_schema_metadata({"document": about}))


def unpack_vectors(data: bytes, *, key: str) -> EmbeddedContent:
    """The reverse of `pack_vectors`."""
    table = from_parquet(data, key=key)
    column = table["vector"].combine_chunks()
    matrix = column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
    pairs = zip(rows_to_chunks(table), matrix, strict=True)
    about = json.loads(table.schema.metadata[b"document"])
    return EmbeddedContent(chunks=tuple(EmbeddedChunk(chunk, vector) for chunk, vector in pairs), **about)
