"""What turns the objects that stand in a collection into those that should: decides, touches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from nightjar.model import ChunkId, IndexObject


@dataclass(frozen=True, slots=True)
class Delta:
    """The smallest change between two checkouts; ids in the order of the target, those to drop sorted."""

    write: tuple[ChunkId, ...]
    """Absent, or standing with another vector."""
    patch: tuple[ChunkId, ...]
    """The same vector, other properties: no graph work in the index."""
    drop: tuple[ChunkId, ...]
    """Standing, and not in the target."""

    @property
    def empty(self) -> bool:
        """What stands is what should."""
        return not (self.write or self.patch or self.drop)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is compared of an object in a collection; a document's objects are too many to be held whole."""

    vector_digest: str
    properties_digest: str

    @classmethod
    def of(cls, found: IndexObject) -> Self:
        """Digests of an object."""
        return cls(found.vector_digest, found.properties_digest)


def reconcile(standing: Mapping[ChunkId, Standing], target: Mapping[ChunkId, IndexObject]) -> Delta:
    """The delta from `standing` to `target`: ids are compared, then vectors bit by bit, then properties."""
    return Delta(
        write=tuple(_absent_or_other_vector(standing, target)),
        patch=tuple(
            chunk_id
            for chunk_id, wanted in target.items()
            if (found := standing.get(chunk_id)) is not None
            and found.vector_digest == wanted.vector_digest
            and found.properties_digest != wanted.properties_digest
        ),
        drop=tuple(sorted(standing.keys() - target.keys())),
    )


def _absent_or_other_vector(
    standing: Mapping[ChunkId, Standing], target: Mapping[ChunkId, IndexObject]
) -> Iterable[ChunkId]:
    for chunk_id, wanted in target.items():
        found = standing.get(chunk_id)
        if found is None or found.vector_digest != wanted.vector_digest:
            yield chunk_id
