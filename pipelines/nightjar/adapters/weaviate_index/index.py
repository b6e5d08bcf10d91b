"""`ports.Index` on a Weaviate server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from weaviate.classes.config import ConsistencyLevel
from weaviate.classes.query import Filter
from weaviate.collections import Collection
from weaviate.collections.classes.config import CollectionConfig
from weaviate.collections.classes.internal import Object
from weaviate.exceptions import UnexpectedStatusCodeError

from nightjar.adapters.weaviate_index.aliases import Aliases
from nightjar.adapters.weaviate_index.batches import write
from nightjar.adapters.weaviate_index.connection import Connection, loses_replicas
from nightjar.adapters.weaviate_index.errors import read_only, translated
from nightjar.adapters.weaviate_index.schema import as_property, difference, kinds, schema_of, settings
from nightjar.adapters.weaviate_index.search import plain, search
from nightjar.errors import Misconfigured, Transient
from nightjar.model import ChunkId, CollectionName, Hit, IndexObject
from nightjar.ports import CollectionSchema, Property, Query
from nightjar.stages.properties import checked

_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_]*")
_NOT_FOUND: Final = 404
_IDS_AT_ONCE: Final = 500
_DOCUMENTS_AT_ONCE: Final = 100
_PAGE: Final = 500
_INDEXING_PATIENCE_S: Final = 900.0
_POLL_S: Final = 0.25


class WeaviateIndex:
    """One server; connects at first use.

    Args:
        http_url: `http://host:port` or `https://host`.
        grpc_url: `host:port` or `grpcs://host:port`; derived when None (Weaviate Cloud, else port 50051).
        api_key: None for a server that lets everyone in.
        timeout_s: how long one request may take, in seconds.
    """

    def __init__(
        self, *, http_url: str, grpc_url: str | None = None, api_key: str | None = None, timeout_s: float = 90.0
    ) -> None:
        self.url = http_url
        self._connection = Connection(http_url, grpc_url=grpc_url, api_key=api_key, timeout_s=timeout_s)
        self._aliases = Aliases(self._connection)

    def check(self) -> str:
        """The server's version, after both of its protocols answered; unreachable is Misconfigured here."""
        try:
            return self._connection.probe()
        except Transient as error:
            raise Misconfigured(f"{error}: start the server, or correct WEAVIATE_URL") from error

    def collections(self) -> list[CollectionName]:
        """Every collection's name, sorted."""
        with translated(self.url):
            return sorted(CollectionName(name) for name in self._connection.client().collections.list_all(simple=True))

    def create(self, name: CollectionName, schema: CollectionSchema) -> None:
        """Create it, or accept one that stands already with equal settings; its description becomes the schema's.

        Raises:
            Misconfigured: it stands with other settings, the name or schema is refused, or the server is known to
                lose objects of replicated collections.
        """
        self._refuse_name(name)
        if schema.replicas > 1 and loses_replicas(self._connection.version()):
            raise Misconfigured(
                f"Weaviate at {self.url} can lose objects when it repairs replicas: upgrade to 1.37.14, 1.38.7 or "
                "1.39, or set index.replicas to 1"
            )
        with translated(self.url):
            standing = self._standing(name)
            if standing is None:
                self._connection.client().collections.create(**settings(name, schema))
                return
        apart = difference(standing, schema)
        if apart:
            raise Misconfigured(f"collection {name} stands already and its {apart}: drop it or choose another name")
        if standing.description != schema.description:
            self.describe(name, schema.description)

    def schema(self, name: CollectionName) -> CollectionSchema:
        """What a standing collection was created with, and the properties that it was given since."""
        return schema_of(self._config(name))

    def extend(self, name: CollectionName, properties: Iterable[Property]) -> None:
        """Give a standing collection those of `properties` that it lacks."""
        standing = kinds(self._config(name))
        with translated(self.url):
            for each in properties:
                if each.name not in standing:
                    self._collection(name).config.add_property(as_property(each))

    def describe(self, name: CollectionName, description: str) -> None:
        """Replace the collection's description."""
        self._config(name)
        with translated(self.url):
            self._collection(name).config.update(description=description)

    def drop(self, name: CollectionName) -> None:
        """Remove a collection; absent ones are no error.

        Raises:
            Misconfigured: an alias names it.
        """
        naming = self._aliases.naming(name)
        if naming:
            raise Misconfigured(f"collection {name} is served by the alias {naming[0]}: move the alias before dropping")
        with translated(self.url):
            self._connection.client().collections.delete(name)

    def write(self, name: CollectionName, objects: Iterable[IndexObject]) -> int:
        """Upsert all of `objects`, read lazily, and confirm each; returns how many were given."""
        declared = frozenset(kinds(self._config(name)))
        with translated(self.url):
            collection = self._collection(name).with_consistency_level(ConsistencyLevel.QUORUM)
            self._refuse_read_only(collection)
        given = write(collection, (checked(each, declared) for each in objects), url=self.url)
        self._await_vectors(collection)
        return given

    def delete(self, name: CollectionName, ids: Sequence[ChunkId]) -> None:
        """Remove these objects; absent ones are no error."""
        with translated(self.url):
            data = self._collection(name).with_consistency_level(ConsistencyLevel.QUORUM).data
            for start in range(0, len(ids), _IDS_AT_ONCE):
                answer = data.delete_many(Filter.by_id().contains_any(ids[start : start + _IDS_AT_ONCE]))
                if answer.failed:
                    raise Transient(f"Weaviate at {self.url} kept {answer.failed} objects of {name} that were deleted")

    def count(self, name: CollectionName) -> int:
        """Objects on the server."""
        with translated(self.url):
            return self._collection(name).aggregate.over_all(total_count=True).total_count or 0

    def fetch(self, name: CollectionName, ids: Sequence[ChunkId]) -> dict[ChunkId, IndexObject]:
        """Those of `ids` that stand, read from every replica, with properties and vectors."""
        found: dict[ChunkId, IndexObject] = {}
        with translated(self.url):
            query = self._collection(name).with_consistency_level(ConsistencyLevel.ALL).query
            for start in range(0, len(ids), _IDS_AT_ONCE):
                some = ids[start : start + _IDS_AT_ONCE]
                answer = query.fetch_objects_by_ids(some, limit=len(some), include_vector=True)
                found |= {ChunkId(str(each.uuid)): _object(each) for each in answer.objects}
        return found

    def of_documents(self, name: CollectionName, documents: Sequence[str]) -> Iterator[IndexObject]:
        """Every object of these documents once; pages by leaving out what was seen, since offsets end at 10,000."""
        with translated(self.url):
            query = self._collection(name).with_consistency_level(ConsistencyLevel.ALL).query
            for start in range(0, len(documents), _DOCUMENTS_AT_ONCE):
                wanted = Filter.by_property("document_id").contains_any(documents[start : start + _DOCUMENTS_AT_ONCE])
                seen: list[str] = []
                while True:
                    filters = wanted & Filter.by_id().contains_none(seen) if seen else wanted
                    page = query.fetch_objects(filters=filters, limit=_PAGE, include_vector=True).objects
                    yield from map(_object, page)
                    seen.extend(str(each.uuid) for each in page)
                    if len(page) < _PAGE:
                        break

    def scan(self, name: CollectionName, *, vectors: bool) -> Iterator[IndexObject]:
        """Every object once; without vectors theirs are empty arrays."""
        with translated(self.url):
            collection = self._collection(name).with_consistency_level(ConsistencyLevel.ALL)
            for each in collection.iterator(include_vector=vectors, cache_size=_PAGE):
                yield _object(each)

    def search(self, name: str, query: Query) -> list[Hit]:
        """Best first; `name` is a collection or an alias."""
        declared = kinds(self._config(self.alias(name) or CollectionName(name))) if query.where else {}
        with translated(self.url):
            return search(self._collection(name), query, declared)

    def alias(self, alias: str) -> CollectionName | None:
        """What the alias names, None when there is no such alias."""
        return self._aliases.target(alias)

    def point(self, alias: str, name: CollectionName) -> None:
        """Create or move the alias, then read it back until it says `name`.

        Raises:
            Misconfigured: `name` does not stand, or a collection carries the alias's name.
        """
        self._refuse_name(alias)
        self._config(name)
        if alias in self.collections():
            raise Misconfigured(
                f"{alias} is a collection at {self.url}, so it cannot be an alias: keep index.alias for new readers "
                f"under another name, or copy {alias}'s objects elsewhere, delete the collection {alias} and run again"
            )
        self._aliases.point(alias, name)

    def close(self) -> None:
        """Ends connections; a later call opens them again."""
        self._connection.close()

    def _collection(self, name: str) -> Collection[Any, Any]:
        return self._connection.client().collections.use(name)

    def _config(self, name: CollectionName) -> CollectionConfig:
        with translated(self.url):
            standing = self._standing(name)
        if standing is None:
            raise Misconfigured(f"there is no collection {name} at {self.url}: it was dropped, or never made")
        return standing

    def _standing(self, name: str) -> CollectionConfig | None:
        try:
            return self._collection(name).config.get()
        except UnexpectedStatusCodeError as error:
            if error.status_code == _NOT_FOUND:
                return None
            raise

    def _refuse_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise Misconfigured(
                f"{name!r} cannot name a collection or alias: begin with a capital letter (A-Z, 0-9, _)"
            )

    def _refuse_read_only(self, collection: Collection[Any, Any]) -> None:
        if any(shard.status == "READONLY" for shard in collection.config.get_shards()):
            raise read_only(self.url)

    def _await_vectors(self, collection: Collection[Any, Any]) -> None:
        """Where the server indexes in the background (ASYNC_INDEXING), what is written is not yet found by vector."""
        deadline = time.monotonic() + _INDEXING_PATIENCE_S
        with translated(self.url):
            while any(shard.status == "INDEXING" for shard in collection.config.get_shards()):
                if time.monotonic() > deadline:
                    raise Transient(f"Weaviate at {self.url} still indexes vectors in the background: run again later")
                time.sleep(_POLL_S)


def _object(found: Object[Any, Any]) -> IndexObject:
    vector = np.asarray((found.vector or {}).get("default", ()), dtype=np.float32)
    return IndexObject(ChunkId(str(found.uuid)), plain(found.properties), vector)
