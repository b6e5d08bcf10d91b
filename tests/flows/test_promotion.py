"""Between the decision to promote and the last of what follows from it somebody else may decide, or take over."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from world import Killed, Killer, World, roll_back, three_nights

from nightjar.errors import HeldBack, Superseded
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.promotion import promote
from nightjar.flows.rollback import ask_return, hold, unhold
from nightjar.flows.runs import Options, resume
from nightjar.flows.services import Services
from nightjar.flows.versions import read_live, read_versions
from nightjar.lease import Lease
from nightjar.owner import Owner
from nightjar.ports import StateStore, Stored

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


def interrupted(world: World, point: Point, meanwhile: Callable[[], object]) -> None:
    """A night in which something happens at the first passing of `point`."""
    world.nights += 1
    left = [meanwhile]

    def passing(passed: Point) -> None:
        if passed is point and left:
            left.pop()()

    run_night(
        replace(world.services(), passing=passing),
        run_id=f"night-{world.nights}",
        owner=Owner.dag("reindex_handbook"),
        options=Options(),
    )


class Meanwhile:
    """The state; after the nth reading of `live.json` since `armed` something happens, once."""

    def __init__(self, state: StateStore, meanwhile: Callable[[], object], *, reading: int) -> None:
        self._state = state
        self._meanwhile = meanwhile
        self._left = reading
        self.armed = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._state, name)

    def read(self, key: str) -> Stored | None:
        found = self._state.read(key)
        if self.armed and key == "live.json":
            self._left -= 1
            if self._left == 0:
                self._meanwhile()
        return found


@BOTH
def test_a_rollback_asked_for_before_the_commit_is_not_overwritten(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)
    world.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")
    with pytest.raises((Superseded, HeldBack)):
        interrupted(world, Point.EVALUATED, lambda: ask_return(world.services(), to=1, reason="bad"))
    roll_back_ends(world)
    assert world.served() == served[0]
    world.consistent()


@BOTH
@pytest.mark.parametrize("reading", [1, 2, 3])
@pytest.mark.parametrize(
    "decision",
    [lambda s: ask_return(s, to=1, reason="bad"), lambda s: hold(s, reason="wait")],
    ids=["rollback", "hold"],
)
def test_what_is_decided_while_a_run_is_about_to_promote_stands(
    tmp_path: Path, strategy: str, decision: Callable[..., object], reading: int
) -> None:
    world, _ = three_nights(tmp_path, strategy)
    world.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")
    world.nights += 1
    state = Meanwhile(world.state, lambda: decision(world.services()), reading=reading)
    with pytest.raises((HeldBack, Superseded)):
        run_night(
            replace(
                world.services(state=state),  # type: ignore[arg-type]  # it hands on what it does not know
                passing=lambda passed: setattr(state, "armed", state.armed or passed is Point.EVALUATED),
            ),
            run_id=f"night-{world.nights}",
            owner=Owner.dag("reindex_handbook"),
            options=Options(),
        )
    live = read_live(world.state)
    assert live is not None
    assert (live.held, live.version) == (True, 3)


@BOTH
@pytest.mark.parametrize("point", [Point.COMMITTED, Point.RECORDED, Point.ALIASED, Point.ENTERED])
def test_a_run_that_sleeps_after_its_commit_undoes_nothing_of_the_next(
    tmp_path: Path, strategy: str, point: Point
) -> None:
    world, _ = three_nights(tmp_path, strategy)
    world.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")

    def next_night() -> None:
        world.put("leave.txt", "# Leave\n\nEveryone has seventy days of leave a year.")
        world.night()

    with pytest.raises(Superseded):
        interrupted(world, point, next_night)
    states = [str(version.state) for version in read_versions(world.state)]
    assert states == ["live", "retired", "retired", "retired", "retired"]
    assert "Everyone has seventy days of leave a year." in "".join(world.texts())
    world.consistent()
    before = world.served()
    world.night()
    assert world.served() == before


@BOTH
def test_a_run_that_sleeps_after_its_commit_leaves_a_rollback_alone(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)
    world.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")
    with pytest.raises(Superseded):
        interrupted(world, Point.COMMITTED, lambda: roll_back(world, to=2))
    assert world.served() == served[1]
    world.consistent()


@BOTH
@pytest.mark.parametrize("reading", [1, 2, 3, 4])
def test_a_hold_that_comes_while_a_run_is_about_to_promote_leaves_people_with_what_is_live(
    tmp_path: Path, strategy: str, reading: int
) -> None:
    world, served = three_nights(tmp_path, strategy)
    world.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")
    state = Meanwhile(world.state, lambda: hold(world.services(), reason="audit"), reading=reading)
    with pytest.raises(HeldBack, match="version 4 waits: corpus handbook is on hold: audit"):
        run_night(
            replace(
                world.services(state=state),  # type: ignore[arg-type]  # it hands on what it does not know
                passing=lambda passed: setattr(state, "armed", state.armed or passed is Point.EVALUATED),
            ),
            run_id="night-4",
            owner=Owner.dag("reindex_handbook"),
            options=Options(),
        )
    assert world.served() == served[2]
    world.consistent()


@pytest.mark.parametrize("after", ["the next night", "the same task, released"])
def test_a_way_back_killed_at_any_moment_is_finished_by_whoever_comes_next(tmp_path: Path, after: str) -> None:
    start, served = three_nights(tmp_path, "in_place")
    start.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")
    half_way = 0
    for moment in itertools.count():
        world = start.twin()
        killed = held_after_the_write(world, kill_at=moment)
        if not held(world):
            continue
        half_way += world.served() != served[2]
        if after == "the next night":
            with suppress(HeldBack):
                world.night()
        else:
            unhold(world.services())
            with suppress(HeldBack):
                promote_again(world)
        live = read_live(world.state)
        assert live is not None
        assert world.served() == served[2] or live.version == 4, f"after a death at step {moment}"
        world.consistent()
        if not killed:
            break
    assert half_way > 5


def held_after_the_write(world: World, *, kill_at: int) -> bool:
    """Version 4 is written to the live collection when a hold comes; did the run die at that step?"""
    world.nights += 1
    steps = itertools.count()
    state, index = (Killer(door, steps, at=kill_at) for door in (world.state, world.index))

    def passing(passed: Point) -> None:
        if passed is Point.VERIFIED:
            hold(world.services(), reason="audit")

    services: Services = replace(world.services(state=state, index=index), passing=passing)  # type: ignore[arg-type]
    try:
        run_night(services, run_id="night-4", owner=Owner.dag("reindex_handbook"), options=Options())
    except HeldBack:
        return False
    except Killed:
        return True
    raise AssertionError("nothing held it back")


def held(world: World) -> bool:
    live = read_live(world.state)
    return live is not None and live.held


def promote_again(world: World) -> None:
    """The run's last task, cleared."""
    services = world.services()
    run = resume(services, "night-4")
    lease = Lease.acquire(services.state, run_id=run.run_id, owner=Owner.dag("reindex_handbook"), ttl_s=60.0)
    try:
        promote(services, run, lease=lease)
    finally:
        lease.release()


def test_a_collection_that_somebody_edited_is_not_gone_back_to(tmp_path: Path) -> None:
    world, served = three_nights(tmp_path, "blue_green")
    before = read_versions(world.state)[1]
    assert before.collection is not None
    [first, *_] = world.index.scan(before.collection, vectors=True)
    world.index.write(before.collection, [replace(first, properties={**first.properties, "text": "edited"})])
    roll_back(world, to=before.number)
    assert world.served() == served[1]
    world.consistent()


def roll_back_ends(world: World) -> None:
    """The next run finishes what was asked for."""
    with pytest.raises(HeldBack):
        world.night()


def test_a_collection_that_a_former_alias_names_is_kept_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world, served = three_nights(tmp_path, "blue_green")
    world.configure(index={"alias": "Other", "keep_collections": 1})
    for number in range(2):
        world.put("leave.txt", f"# Leave\n\nEveryone has {number} days of leave.")
        assert world.night()["state"] == "live"
    left = world.index.alias("Handbook")
    assert left is not None
    assert {each.chunk_id for each in world.index.scan(left, vectors=False)} == served[2].keys()
    assert f"kept: collection {left} is served by the alias Handbook" in caplog.text
