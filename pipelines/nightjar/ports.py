"""The doors to the outside, each as small as its use; the contract tests say what adapters promise.

Every method may raise `Transient` (retry) or `Misconfigured` (stop), never a vendor's exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from nightjar.errors import BadDocument
from nightjar.model import (
    ChunkId,
    CollectionName,
    Document,
    Hit,
    IndexObject,
    ParsedDocument,
    Scalar,
    SourceObject,
    Vector,
    Violation,
)


class Source(Protocol):
    """The bucket that people drop documents into; read-only."""

    def listing(self) -> Iterator[pa.Table]:
        """One Arrow table a page, all keys unfiltered: key, etag (unquoted), size (int64), modified_us (int64)."""

    def exists(self, key: str) -> bool:
        """A HEAD: true while the object is there (confirms a deletion)."""

    def fetch(self, wanted: SourceObject, *, into: Path, max_bytes: int) -> Document:
        """Stream the object's bytes into the file `into`, hashing on the way.

        Raises:
            BadDocument: too_large, unreadable (gone or refused), or changed_while_read (its fingerprint moved).
        """

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """A HEAD: the object's own metadata, as `fetch` tells it; None when it is gone or refused."""

    def sidecar(self, key: str, *, max_bytes: int) -> bytes | None:
        """The bytes of `<key>.metadata.json`; None when there is none or it is larger than `max_bytes`."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes of a state object and the etag to hand back in a compare-and-set."""

    data: bytes
    etag: str


class StateStore(Protocol):
    """One corpus's state prefix; keys are relative to it. Safe from many threads."""

    def read(self, key: str) -> Stored | None:
        """None when absent."""

    def write(self, key: str, data: bytes) -> None:
        """Unconditional; only for keys whose content is a function of the key, or private to a run."""

    def create(self, key: str, data: bytes) -> str | None:
        """If-None-Match: the new etag; None when the key stood already (or our own success lost its reply)."""

    def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
        """If-Match: the new etag; None when the object moved on (or our own success lost its reply)."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below a prefix, in key order."""

    def listing(self, prefix: str) -> Iterator[pa.Table]:
        """One Arrow table a page, in key order, at least one: key, size (int64, bytes), modified_us (int64).

        `modified_us` is when the object was written last, in microseconds since 1970 on the store's own clock.
        """

    def exists(self, key: str) -> bool:
        """True when the key is there."""

    def delete(self, keys: Iterable[str]) -> None:
        """Absent keys are no error."""

    def probe(self) -> None:
        """Prove that create and replace honour their conditions.

        Raises:
            Misconfigured: bucket missing, access denied, or a store without conditional writes.
        """


class Parser(Protocol):
    """Bytes to elements, in killable child processes."""

    @property
    def recipe(self) -> Mapping[str, str]:
        """What shapes the result: parser and version, strategy, languages, sentence model, tools that are present."""

    def start(self) -> None:
        """Begin to start what the first document would wait for; returns at once."""

    def sniff(self, documents: Sequence[Document]) -> list[str | BadDocument]:
        """Media type by content, in order; a failure instead where the type itself is already the verdict."""

    def parse(
        self, documents: Iterable[tuple[Document, str]]
    ) -> Iterator[tuple[Document, ParsedDocument | BadDocument]]:
        """Each (document, media type) once, as it finishes, in no promised order; the iterable is read lazily."""

    def close(self) -> None:
        """Ends every child process."""


class Tokenizer(Protocol):
    """The embedding model's own tokenizer, never truncating, never padding."""

    @property
    def identity(self) -> str:
        """Changes when counts could change."""

    @property
    def max_tokens(self) -> int:
        """What the model reads of one text, special tokens included."""

    @property
    def special_tokens(self) -> int:
        """How many tokens the model adds to each text."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """(start, end) in characters of each token, without special tokens."""


class Embedder(Protocol):
    """Texts to unit vectors."""

    @property
    def backend(self) -> str:
        """Which device and runtime do the work, for the log: `openvino/cpu`, `torch/cuda`."""

    @property
    def dimensions(self) -> int:
        """Length of every vector."""

    def embed(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), dimensions), float32, unit rows in the order of `texts`; adds the document prompt."""

    def embed_query(self, text: str) -> Vector:
        """Shape (dimensions,), float32, unit length; the query prompt is added here."""


class Inspector(Protocol):
    """Runs a Great Expectations suite over a table."""

    @property
    def identity(self) -> str:
        """Changes when a verdict could change: a digest over the suites."""

    def check(self, suite: str, table: pa.Table, *, row_id: str) -> list[Violation]:
        """Rows of `table` that failed rules of a suite (documents, chunks, embeddings); row_id is the naming column.

        Raises:
            Misconfigured: the suite does not load whole, or names a column that the table lacks.
        """


class Scorer(Protocol):
    """Measures of rankings, by a library of the field."""

    def score(
        self, wanted: Sequence[frozenset[str]], rankings: Sequence[Sequence[str]], *, k: int
    ) -> list[Mapping[str, float]]:
        """`recall` (at k), `mrr` and `ndcg` (at 10) of each question, in order, from 0 to 1.

        Args:
            wanted: of each question what should be found; never empty.
            rankings: of each question what was found, best first, nothing twice.
            k: how many of a ranking count for recall.
        """


@dataclass(frozen=True, slots=True)
class Property:
    """`kind` is text, text[], int, number, bool or date; `search` is words, exact, range or stored."""

    name: str
    kind: str
    search: str


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """All that a collection is created with; `description` tells readers corpus, version, model and recipe."""

    properties: tuple[Property, ...]
    description: str
    quantization: str = "none"
    replicas: int = 1
    shards: int = 1


@dataclass(frozen=True, slots=True)
class Query:
    """A question; vector and hybrid need `vector`; `where` are equalities; of the groups in `acl` one must match."""

    mode: str
    text: str
    vector: Vector | None
    limit: int
    where: Mapping[str, Scalar] | None = None
    acl: tuple[str, ...] | None = None


class Index(Protocol):
    """The vector database. Collections are ours by name; only `alias` names are what applications use."""

    def check(self) -> str:
        """The server's version.

        Raises:
            Misconfigured: not reachable at all at start, wrong key, or too old for aliases.
        """

    def collections(self) -> list[CollectionName]:
        """Every collection's name."""

    def create(self, name: CollectionName, schema: CollectionSchema) -> None:
        """Create it, or accept an equal one that stands already."""

    def schema(self, name: CollectionName) -> CollectionSchema:
        """What a standing collection was created with, and the properties that it was given since."""

    def extend(self, name: CollectionName, properties: Iterable[Property]) -> None:
        """Give a standing collection those of `properties` that it lacks; objects in it have None there."""

    def describe(self, name: CollectionName, description: str) -> None:
        """Replace the collection's description."""

    def drop(self, name: CollectionName) -> None:
        """Remove a collection; one that an alias names is refused."""

    def write(self, name: CollectionName, objects: Iterable[IndexObject]) -> int:
        """Upsert all of `objects` and confirm each; returns how many.

        Raises:
            Transient: some were still refused after retries; the message counts them and gives the first reason.
        """

    def delete(self, name: CollectionName, ids: Sequence[ChunkId]) -> None:
        """Remove these objects; absent ones are no error.

        Raises:
            Transient: the server kept some of them.
        """

    def count(self, name: CollectionName) -> int:
        """Objects on the server."""

    def fetch(self, name: CollectionName, ids: Sequence[ChunkId]) -> dict[ChunkId, IndexObject]:
        """Those of `ids` that stand, with properties and vectors."""

    def of_documents(self, name: CollectionName, documents: Sequence[str]) -> Iterator[IndexObject]:
        """Every object of these documents (by document id) once, with properties and vectors."""

    def scan(self, name: CollectionName, *, vectors: bool) -> Iterator[IndexObject]:
        """Every object once; without vectors theirs are empty arrays."""

    def search(self, name: str, query: Query) -> list[Hit]:
        """Best first; `name` is a collection or an alias."""

    def alias(self, alias: str) -> CollectionName | None:
        """What the alias names, None when there is no such alias."""

    def point(self, alias: str, name: CollectionName) -> None:
        """Create or move the alias, then read it back until it says `name`."""

    def close(self) -> None:
        """Ends connections."""
