"""Does a collection's vector index find what the collection holds?

Weaviate keeps objects at once, but the last 32 KiB of its HNSW log only in memory: killed, it comes back with every
object and without the newest of its graph, a small collection without all of it. Nothing but a search shows that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nightjar.flows.parallel import in_order
from nightjar.flows.services import Services
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.ports import Query

RECENT: Final = 128
"""How many of the objects written last are remembered with a collection, and asked for."""
_SELF: Final = 0.9999  # cosine of a vector with itself, as the server rounds it
_DEEP: Final = 200  # neighbours of a second look: what an approximate search missed is among them, what is lost is not
_LEAST_FOUND: Final = 0.98
_NEWEST: Final = 8


def damage(services: Services, name: CollectionName, ids: Sequence[ChunkId]) -> str | None:
    """What is wrong with the vector index, asked for those of `ids` that stand, newest last; None if nothing is.

    A kill takes the newest, however few they are: of the last eight none may be missing.
    """
    standing = services.index.fetch(name, list(ids))
    asked = (standing[each] for each in ids if each in standing)
    found = list(in_order(lambda item: finds(services, name, item), asked))
    if not found:
        return None
    return told(name, found=sum(found), asked=len(found), sound=all(found[-_NEWEST:]))


def told(name: CollectionName, *, found: int, asked: int, sound: bool = True) -> str | None:
    """The sentence about a vector index that found so many; None where it is sound."""
    if sound and found >= _LEAST_FOUND * asked:
        return None
    return (
        f"the vector index of collection {name} finds {found} of {asked} chunks that it was asked for:"
        f" a server that was killed loses the newest, and thousands of equal passages hide their neighbours"
    )


def finds(services: Services, name: CollectionName, item: IndexObject) -> bool:
    """Is a standing object, or one with its vector, found by that vector?"""
    nearest = services.index.search(name, _like(item, 1))
    if nearest and nearest[0].score >= _SELF:
        return True
    deep = services.index.search(name, _like(item, _DEEP))
    return any(hit.chunk_id == item.chunk_id or hit.score >= _SELF for hit in deep)


def _like(item: IndexObject, limit: int) -> Query:
    return Query(mode="vector", text="", vector=item.vector, limit=limit)
