"""Where runs are killed on real servers, by what runs; `flows/test_points.py` sees to it that no point is left out."""

from __future__ import annotations

from typing import Final

from nightjar.flows.points import Point

STRATEGIES: Final = ("blue_green", "in_place")
_BEFORE_INDEXING: Final = (
    *(Point.LEASED, Point.WRITINGS_ENDED, Point.SETTLED, Point.PLANNED, Point.PARSED, Point.CHUNKED),
    *(Point.EMBEDDED, Point.NUMBERED, Point.SAMPLED, Point.GATED),
)
_AFTER_COMMIT: Final = (Point.COMMITTED, Point.RECORDED, Point.ALIASED, Point.ENTERED, Point.RETIRED)
_BESIDE: Final = (Point.CLAIMED, Point.CREATED, Point.FILLED, Point.CHECKED_OUT)
_INTO: Final = (Point.WRITING, Point.DOCUMENTS_WRITTEN, Point.DOCUMENTS_REPLACED, Point.DELTA_WRITTEN)
_PROOF: Final = (Point.VERIFIED, Point.EVALUATED)
NIGHT: Final = {
    "blue_green": (*_BEFORE_INDEXING, *_BESIDE, *_PROOF, *_AFTER_COMMIT),
    "in_place": (*_BEFORE_INDEXING, Point.OVERLAID, *_INTO, *_PROOF, *_AFTER_COMMIT),
}
ROLLBACK: Final = {
    "blue_green": (Point.HELD, Point.WRITINGS_ENDED, *_AFTER_COMMIT),
    "in_place": (Point.HELD, Point.WRITINGS_ENDED, *_INTO, *_AFTER_COMMIT),
}
FILLING_ROLLBACK: Final = _BESIDE
"""Of a rollback for which no collection stands, and whose live one cannot take the delta."""
ACCESS: Final = (Point.ACCESS_RECORDED, Point.ACCESS_SPREAD)
ERASURE: Final = tuple(point for point in Point if point.name.startswith(("ERASED", "ERASURE")))
SWEEP: Final = (Point.SWEEP_RECORDED, Point.VERSIONS_SWEPT, Point.SWEPT)


def killed_on_real_servers(strategy: str) -> set[Point]:
    """All that some test with servers is parametrised by."""
    filling = FILLING_ROLLBACK if strategy == "blue_green" else ()
    return {*NIGHT[strategy], *ROLLBACK[strategy], *filling, *ACCESS, *ERASURE, *SWEEP}
