"""A rollback as one call: it waits for the run under way, needs no model, and is finished by repeating it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from flows.test_rollback import BOTH, three_nights
from world import Killed, Killer, World

from nightjar.clock import Clock
from nightjar.errors import HeldBack
from nightjar.flows.returning import go_back
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, read_live
from nightjar.lease import Lease
from nightjar.owner import Decider, Owner


class Ticking:
    """A clock whose sleep moves its ticks, and calls somebody meanwhile."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.ticks, self._meanwhile = 0.0, meanwhile

    def sleep(self, seconds: float) -> None:
        self.ticks += seconds
        self._meanwhile()

    @property
    def clock(self) -> Clock:
        return Clock(ticks=lambda: self.ticks, sleep=self.sleep)


def back(world: World, *, to: int | None = None, services: Services | None = None, clock: Clock | None = None) -> Live:
    world.nights += 1
    by = Decider(f"rollback-{world.nights}", Owner.dag("reindex_handbook"), "mia@host", "")
    return go_back(services or world.services(), to=to, by=by, clock=clock or Ticking().clock)


@BOTH
def test_it_serves_the_earlier_version_and_holds(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)
    live = back(world)
    assert (live.version, live.held, live.held_by, live.returning_to) == (2, True, "mia@host", None)
    assert world.served() == served[1]


@BOTH
def test_neither_model_nor_parser_is_opened(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)

    def closed() -> NoReturn:
        raise AssertionError("a rollback opened a heavy door")

    services = replace(
        world.services(), recipe=closed, tokenizer=closed, parser=closed, embedder=closed, inspector=closed
    )
    back(world, services=services)
    assert world.served() == served[1]


@pytest.mark.slow
@BOTH
def test_killed_at_any_moment_it_is_finished_by_its_repetition(tmp_path: Path, strategy: str) -> None:
    start, served = three_nights(tmp_path, strategy)
    moment = 0
    while True:
        world = start.twin()
        steps = itertools.count()
        state, index = (Killer(door, steps, at=moment) for door in (world.state, world.index))
        try:
            back(world, services=world.services(state=state, index=index))
        except Killed:
            pass
        else:
            break
        back(world)
        # Once its version records are written nothing tells a dead rollback from a finished one.
        assert world.served() in (served[1], served[0]), f"after a death at step {moment}"
        world.consistent()
        moment += 1
    assert moment > 5


def test_repeating_it_with_the_same_number_goes_nowhere_else(tmp_path: Path) -> None:
    world, served = three_nights(tmp_path, "blue_green")
    steps = itertools.count()
    state, index = (Killer(door, steps, at=4) for door in (world.state, world.index))
    with pytest.raises(Killed):
        back(world, to=1, services=world.services(state=state, index=index))
    back(world)
    assert world.served() == served[0]


def test_it_waits_until_the_run_under_way_has_ended(tmp_path: Path) -> None:
    world, served = three_nights(tmp_path, "blue_green")
    other = Lease.acquire(world.state, run_id="night", owner=Owner.command(), ttl_s=60.0)
    back(world, clock=Ticking(other.release).clock)
    assert world.served() == served[1]


def test_its_patience_ends_with_the_hold_in_place(tmp_path: Path) -> None:
    world, _ = three_nights(tmp_path, "blue_green")
    other = Lease.acquire(world.state, run_id="night", owner=Owner.command(), ttl_s=60.0)
    with pytest.raises(HeldBack, match=r"run night of cli .* goes back as soon as that run has ended"):
        back(world, clock=Ticking(other.renew).clock)
    other.release()
    live = read_live(world.state)
    assert live is not None
    assert (live.version, live.held, live.returning_to) == (3, True, 2)
