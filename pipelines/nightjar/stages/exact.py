"""Exact vector search over objects that stand in no index, and its hits merged with an index's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from nightjar.model import Hit, IndexObject, Vector

_BLOCK: Final = 1_024


def exact(objects: Iterable[IndexObject], *, questions: Vector, limit: int) -> list[list[Hit]]:
    """The `limit` highest cosines with each row of `questions` (shape (n, dimensions), unit rows), best first.

    Memory holds one block of objects and the best so far, whatever the number of objects.
    """
    best: list[list[Hit]] = [[] for _ in questions]
    block: list[IndexObject] = []
    for each in objects:
        block.append(each)
        if len(block) == _BLOCK:
            best = _better(best, block, questions, limit)
            block = []
    return _better(best, block, questions, limit) if block else best


def merged(standing: Sequence[Hit], staged: Sequence[Hit], *, limit: int) -> list[Hit]:
    """The best of both; the order of equal scores is that of ids, so that it is the same every time."""
    return sorted([*standing, *staged], key=_order)[:limit]


def _better(
    best: Sequence[Sequence[Hit]], block: Sequence[IndexObject], questions: Vector, limit: int
) -> list[list[Hit]]:
    cosines = questions @ np.stack([each.vector for each in block]).T
    found: list[list[Hit]] = []
    for kept, row in zip(best, cosines, strict=True):
        places = np.argpartition(-row, limit - 1)[:limit] if limit < len(row) else np.arange(len(row))
        fresh = [Hit(block[i].chunk_id, float(row[i]), block[i].properties) for i in places]
        found.append(merged(kept, fresh, limit=limit))
    return found


def _order(hit: Hit) -> tuple[float, str]:
    return -hit.score, hit.chunk_id
