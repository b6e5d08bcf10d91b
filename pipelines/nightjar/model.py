"""The values that walk through a night: SourceObject → Document → Element → Chunk → EmbeddedChunk.

All are frozen. A chunk without a vector cannot be indexed, so it is another type than one with it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NewType, Self

import numpy as np
from numpy.typing import NDArray

DocumentId = NewType("DocumentId", str)
ChunkId = NewType("ChunkId", str)
CollectionName = NewType("CollectionName", str)
ContentKey = NewType("ContentKey", str)

Vector = NDArray[np.float32]
Scalar = str | int | float | bool | datetime
FieldValue = Scalar | tuple[str, ...]

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "nightjar")


def sha256(data: bytes | str) -> str:
    """Hex digest of bytes, or of a text as UTF-8 (lone surrogates kept apart, never an error)."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return hashlib.sha256(raw).hexdigest()


def document_id_of(source_uri: str) -> DocumentId:
    """The same uri always names the same document, on every machine and in every version."""
    return DocumentId(str(uuid.uuid5(_NAMESPACE, source_uri.encode("utf-8", "surrogatepass").hex())))


def chunk_id_of(document_id: str, text_digest: str, occurrence: int) -> ChunkId:
    """Identity from content with an ordinal for repeats: a page inserted above leaves every other id alone."""
    return ChunkId(str(uuid.uuid5(uuid.UUID(document_id), f"{text_digest}:{occurrence}")))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a listing says about an object without reading it; sizes in bytes, time in microseconds since 1970."""

    etag: str
    size: int
    modified_us: int


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One object of the source bucket that the corpus takes, with its sidecar where there is one."""

    uri: str
    key: str
    fingerprint: Fingerprint
    sidecar: Fingerprint | None = None

    @property
    def document_id(self) -> DocumentId:
        """Derived from the uri alone."""
        return document_id_of(self.uri)


@dataclass(frozen=True, slots=True)
class Document:
    """A source object whose bytes lie in the working folder; `path` is never derived from the object's key."""

    document_id: DocumentId
    uri: str
    key: str
    path: Path
    digest: str
    fingerprint: Fingerprint
    modified_at: datetime
    declared_type: str = ""
    declared_charset: str = ""
    object_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Element:
    """A piece of a document as the parser saw it.

    `kind` is unstructured's category (Title, NarrativeText, ListItem, Table, CodeSnippet, …); `depth` the level of a
    heading from 0; `page` counts from 1; `table_html` the table's markup for storing, never for embedding.
    """

    kind: str
    text: str
    page: int | None = None
    depth: int | None = None
    table_html: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The elements of one content, independent of where it lay; `language` is an ISO 639-3 code or ''."""

    media_type: str
    charset: str
    title: str
    language: str
    elements: tuple[Element, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of one content.

    `text` is what people read; `context` (title and heading trail) goes before it in what the model reads;
    `token_count` counts all of what the model reads, special tokens included.
    """

    ordinal: int
    text: str
    context: str
    heading_path: tuple[str, ...]
    page_first: int | None
    page_last: int | None
    token_count: int
    element_type: str
    table_html: str | None = None

    @property
    def embedded_text(self) -> str:
        """Exactly the text whose vector is stored (before the model's own document prompt)."""
        return f"{self.context}\n{self.text}" if self.context else self.text

    @property
    def text_digest(self) -> str:
        """Digest of the embedded text: equal texts share one vector."""
        return sha256(self.embedded_text)


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedChunk:
    """A chunk and its vector of shape (dimensions,), float32, unit length."""

    chunk: Chunk
    vector: Vector


@dataclass(frozen=True, slots=True, eq=False)
class IndexObject:
    """What stands in a collection for one chunk: id, properties with plain Python values, vector."""

    chunk_id: ChunkId
    properties: Mapping[str, FieldValue | None]
    vector: Vector

    @property
    def vector_digest(self) -> str:
        """Digest of the vector, bit by bit."""
        return sha256(np.asarray(self.vector, dtype="<f4").tobytes())

    @property
    def properties_digest(self) -> str:
        """Digest of what is not None; equal moments in different time zones are equal."""
        told = {name: value for name, value in self.properties.items() if value is not None}
        return sha256(json.dumps(told, sort_keys=True, default=_moment, ensure_ascii=True))

    @property
    def digest(self) -> str:
        """Digest of properties and vector: two checkouts agree where these agree."""
        return sha256(self.properties_digest + self.vector_digest)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"a property holds a {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer of a search; a higher score is better, whatever the mode."""

    chunk_id: ChunkId
    score: float
    properties: Mapping[str, FieldValue | None]


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that failed one rule of a suite; `observed` is bounded and holds no document text.

    `code` and `reason` come from the rule's meta; `severity` critical quarantines, warning and info are only reported.
    A rule about the whole table has an empty `row_id`.
    """

    row_id: str
    rule: str
    observed: str
    code: str = ""
    reason: str = ""
    severity: str = "critical"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate said: `state` is pass, warn or fail; `reason` is one sentence; `figures` the numbers behind it."""

    state: str
    reason: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def passed(cls, figures: Mapping[str, float]) -> Self:
        """Nothing to object."""
        return cls("pass", "", figures)
