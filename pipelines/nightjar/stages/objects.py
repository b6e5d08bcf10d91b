"""From a manifest row and its content's vectors to the objects that stand in a collection."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import shake_256
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np

from nightjar.artifacts import EmbeddedContent
from nightjar.kinds import Unfit, typed
from nightjar.model import Chunk, ChunkId, FieldValue, IndexObject, Vector, chunk_id_of

FORM: Final = 2
"""Raised when the same row and content make other objects: collections of another form are filled anew."""

_APART: Final = 0.003


def index_objects(
    row: Mapping[str, Any], content: EmbeddedContent, *, fields: Mapping[str, str]
) -> Iterator[IndexObject]:
    """One object a chunk, in order; equal texts of one document are told apart by their occurrence.

    Args:
        row: a row of the manifest.
        content: the row's chunks and vectors.
        fields: the corpus's metadata fields with their types.
    """
    about = _document_properties(row, content, fields)
    seen: Counter[str] = Counter()
    for embedded in content.chunks:
        digest = embedded.chunk.text_digest
        chunk_id = chunk_id_of(row["document_id"], digest, seen[digest])
        seen[digest] += 1
        vector = set_apart(embedded.vector, chunk_id)
        yield IndexObject(chunk_id, {**about, **_chunk_properties(embedded.chunk)}, vector)


def set_apart(vector: Vector, chunk_id: ChunkId) -> Vector:
    """A unit vector turned by at most 0.003 into a direction of the object's own; shape and float32 stay.

    HNSW links equal vectors to each other alone: above 64 (twice the connections that a node may have) they hide the
    objects near them from every search (qdrant/qdrant#10239 tells why; docs/faults.md has figures for Weaviate). The
    cosine to the vector itself stays above 0.99999, nearer than bfloat16 comes. Any machine computes the same bits.
    """
    bits = np.unpackbits(np.frombuffer(shake_256(chunk_id.encode()).digest(-(-vector.size // 8)), np.uint8))
    step = _APART / math.sqrt(vector.size)
    moved = vector.astype(np.float64) + np.where(bits[: vector.size], step, -step)
    turned: Vector = (moved / math.sqrt(math.fsum((moved * moved).tolist()))).astype(np.float32)
    return turned


def _document_properties(
    row: Mapping[str, Any], content: EmbeddedContent, fields: Mapping[str, str]
) -> dict[str, FieldValue | None]:
    values = json.loads(row["fields"] or "{}")
    return {
        "title": content.title or PurePosixPath(row["key"]).stem,
        "document_id": row["document_id"],
        "document_digest": row["digest"],
        "source_uri": row["uri"],
        "media_type": row["media_type"],
        "language": content.language or None,
        "acl": None if row["acl"] is None else tuple(row["acl"]),
        "modified_at": datetime.fromtimestamp(row["document_modified_us"] / 1_000_000, UTC),
        **{name: _fitting(values.get(name), kind) for name, kind in fields.items()},
    }


def _fitting(value: Any, kind: str) -> FieldValue | None:
    """A stored value as its field has it now: a version may be older than the kind of its fields."""
    try:
        return None if value is None else typed(value, kind=kind)
    except Unfit:
        return None


def _chunk_properties(chunk: Chunk) -> dict[str, FieldValue | None]:
    return {
        "text": chunk.text,
        "heading_path": chunk.heading_path,
        "element_type": chunk.element_type,
        "ordinal": chunk.ordinal,
        "page_first": chunk.page_first,
        "page_last": chunk.page_last,
        "token_count": chunk.token_count,
        "table_html": chunk.table_html,
    }
