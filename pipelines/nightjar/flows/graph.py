"""Does a collection's vector index find what the collection holds?

Weaviate keeps objects at once, but the last 32 KiB of its HNSW log only in memory: killed, it comes back with every
object and without the newest of its graph, a small collection without all of it. Nothing but a search shows that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nightjar.flows.services import Services
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.ports import Query

RECENT: Final = 128
"""How many of the objects written last are remembered with a collection, and asked for."""
_SELF: Final = 0.9999  # cosine of a vector with itself, as the server rounds it
_DEEP: Final = 200  # neighbours of a second look: what an approximate search missed is among them, what is lost is not
_LEAST_FOUND: Final = 0.98


def share_found(services: Services, name: CollectionName, ids: Sequence[ChunkId]) -> float:
    """Share of those of `ids` that stand which their own vector finds; 1.0 where none stands."""
    standing = services.index.fetch(name, list(ids))
    return sum(finds(services, name, each) for each in standing.values()) / len(standing) if standing else 1.0


def damage(services: Services, name: CollectionName, ids: Sequence[ChunkId]) -> str | None:
    """What is wrong with the vector index, asked for `ids`; None if nothing is."""
    return told(name, share_found(services, name, ids))


def told(name: CollectionName, found: float) -> str | None:
    """The sentence about a vector index that found that share; None where it is sound."""
    if found >= _LEAST_FOUND:
        return None
    return (
        f"the vector index of collection {name} finds {found:.0%} of the chunks that it was asked for:"
        f" a server that was killed loses the newest"
    )


def finds(services: Services, name: CollectionName, item: IndexObject) -> bool:
    """Is a standing object, or one with its vector, found by that vector?"""
    nearest = services.index.search(name, _like(item, 1))
    if nearest and nearest[0].score >= _SELF:
        return True
    return any(hit.chunk_id == item.chunk_id for hit in services.index.search(name, _like(item, _DEEP)))


def _like(item: IndexObject, limit: int) -> Query:
    return Query(mode="vector", text="", vector=item.vector, limit=limit)
