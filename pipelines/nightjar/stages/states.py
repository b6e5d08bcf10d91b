"""The life of a version: which state may follow which, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from nightjar.errors import Misconfigured


class State(StrEnum):
    """Where a version stands."""

    BUILDING = "building"
    GATED = "gated"
    INDEXING = "indexing"
    VERIFIED = "verified"
    LIVE = "live"
    RETIRED = "retired"
    REJECTED = "rejected"
    WAITING = "waiting"
    ABANDONED = "abandoned"
    ROLLED_BACK = "rolled_back"


_UNDER_WAY: Final = frozenset({State.REJECTED, State.WAITING, State.ABANDONED})
MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.BUILDING: frozenset({State.GATED}) | _UNDER_WAY,
    State.GATED: frozenset({State.INDEXING, State.VERIFIED}) | _UNDER_WAY,
    State.INDEXING: frozenset({State.VERIFIED}) | _UNDER_WAY,
    State.VERIFIED: frozenset({State.LIVE}) | _UNDER_WAY,
    State.LIVE: frozenset({State.RETIRED, State.ROLLED_BACK}),
    State.RETIRED: frozenset({State.LIVE}),
    State.ROLLED_BACK: frozenset({State.LIVE}),
    State.WAITING: frozenset({State.INDEXING, State.VERIFIED, State.LIVE, State.REJECTED, State.ABANDONED}),
    State.REJECTED: frozenset({State.INDEXING, State.VERIFIED, State.LIVE, State.ABANDONED}),
    State.ABANDONED: frozenset(),
}


def moved(current: State, target: State) -> State:
    """`target`, when the move is legal or already made.

    Raises:
        Misconfigured: the table knows no such move.
    """
    if target is current or target in MOVES[current]:
        return target
    allowed = ", ".join(sorted(MOVES[current])) or "nothing"
    raise Misconfigured(f"a version that is {current} cannot become {target}; from here it may become {allowed}")
