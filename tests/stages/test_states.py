"""Which state may follow which."""

import itertools

import pytest

from nightjar.errors import Misconfigured
from nightjar.stages.states import MOVES, State, moved


def test_every_state_has_its_row() -> None:
    assert set(MOVES) == set(State)


@pytest.mark.parametrize(("current", "target"), list(itertools.product(State, State)))
def test_only_moves_of_the_table_are_made(current: State, target: State) -> None:
    if target is current or target in MOVES[current]:
        assert moved(current, target) is target
    else:
        with pytest.raises(Misconfigured, match=f"{current} cannot become {target}"):
            moved(current, target)


def test_nothing_becomes_live_unverified() -> None:
    assert {s for s, targets in MOVES.items() if State.LIVE in targets} == {
        State.VERIFIED,
        State.WAITING,
        State.REJECTED,
        State.RETIRED,
        State.ROLLED_BACK,
    }


def test_an_abandoned_version_stays_so() -> None:
    assert not MOVES[State.ABANDONED]
