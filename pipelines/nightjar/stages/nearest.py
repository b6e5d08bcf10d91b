"""Exact nearest neighbours of a few probes, kept while a stream of vectors passes by: no second read of the corpus."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Self

import numpy as np

from nightjar.model import ChunkId, IndexObject, Vector

_PROBES: Final = 16
_NEIGHBOURS: Final = 10
_BLOCK: Final = 256
# The server reports distances in float32: neighbours within this of the tenth may swap places with it.
_TIE: Final = 1e-5


class Nearest:
    """Watches objects and keeps, for the first sixteen as probes, the ten highest cosines with their ids.

    Args:
        keep_last: how many of the ids that passed last are kept as `last`.
    """

    def __init__(self, *, keep_last: int = 0) -> None:
        self.last: deque[ChunkId] = deque(maxlen=keep_last)
        self._probes: list[Vector] = []
        self._best: list[list[tuple[float, str]]] = []

    def watch(self, objects: Iterable[IndexObject]) -> Iterator[IndexObject]:
        """Passes `objects` on unchanged. Vectors have unit length, so that a dot product is the cosine."""
        block: list[IndexObject] = []
        for item in objects:
            block.append(item)
            self.last.append(item.chunk_id)
            if len(block) == _BLOCK:
                self._take(block)
                block = []
            yield item
        if block:
            self._take(block)

    def _take(self, block: Sequence[IndexObject]) -> None:
        if not self._probes:
            self._probes = [item.vector for item in block[:_PROBES]]
            self._best = [[] for _ in self._probes]
        cosines = np.stack(self._probes) @ np.stack([item.vector for item in block]).T
        for best, row in zip(self._best, cosines, strict=True):
            best += [(float(row[i]), block[i].chunk_id) for i in np.argsort(row)[-_NEIGHBOURS:]]
            best.sort(reverse=True)
            del best[_NEIGHBOURS:]

    def as_json(self) -> list[dict[str, Any]]:
        """Probes with their exact neighbours."""
        pairs = zip(self._probes, self._best, strict=True)
        return [{"vector": [float(x) for x in vector], "nearest": best} for vector, best in pairs]

    @classmethod
    def from_json(cls, probes: Sequence[Any]) -> Self:
        """The reverse of `as_json`."""
        self = cls()
        self._probes = [np.asarray(p["vector"], np.float32) for p in probes]
        self._best = [[(score, chunk_id) for score, chunk_id in p["nearest"]] for p in probes]
        return self

    @property
    def probes(self) -> Iterator[tuple[Vector, list[tuple[float, str]]]]:
        """Each probe's vector and its exact neighbours, best first, as (cosine, chunk id)."""
        return zip(self._probes, self._best, strict=True)

    @staticmethod
    def overlap(exact: Sequence[tuple[float, str]], found: set[Any]) -> float:
        """Share of the exact neighbours that were found; ties with the last one count as found."""
        if not exact:
            return 1.0
        last = exact[-1][0]
        hits = sum(1 for score, chunk_id in exact if chunk_id in found or score - last < _TIE)
        return hits / len(exact)
