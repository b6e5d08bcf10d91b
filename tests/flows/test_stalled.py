"""A run that stalls at any point while others go on changes nothing when it wakes up, and brings nothing back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from world import Killed, World, handbook

from nightjar.errors import HeldBack, Misconfigured, Superseded
from nightjar.flows import inplace
from nightjar.flows.audit import audit, repair
from nightjar.flows.checkouts import checkouts
from nightjar.flows.erasing import forget
from nightjar.flows.fence import holding
from nightjar.flows.manifests import load_manifest
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.sweeping import sweep
from nightjar.flows.tidying import tidy
from nightjar.flows.versions import read_version, read_versions, save_version
from nightjar.lease import Lease
from nightjar.owner import Owner
from nightjar.stages.states import State

pytestmark = pytest.mark.slow
BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
NIGHTLY = Owner.dag("reindex_handbook")
UNFINISHED = {State.BUILDING, State.GATED, State.INDEXING, State.VERIFIED}
SECRET = "zoebemonto"


def edited(folder: Path, strategy: str) -> World:
    """One version live, and in the bucket a document that was edited and one that is new."""
    world = World(folder, handbook(index={"strategy": strategy}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("people.txt", f"# People\n\nWhat is said of {SECRET} is nobody's business.")
    world.night()
    world.put("people.txt", f"# People\n\nWhat is said of {SECRET} is everybody's business.")
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    return world


def another_night(world: World) -> None:
    world.put("more.txt", "# More\n\nA bicycle for everyone.")
    world.night()


def a_sweep(world: World) -> None:
    with leased(world) as (services, lease):
        sweep(services, lease=lease, actor="mia")


def an_erasure(world: World) -> None:
    with leased(world) as (services, lease):
        forget(services, ["people.txt"], reason="", lease=lease, actor="mia")


def a_repair(world: World) -> None:
    world.nights += 1
    repair(world.services(), run_id=f"repair-{world.nights}", owner=NIGHTLY)


@contextmanager
def leased(world: World) -> Iterator[tuple[Services, Lease]]:
    """The doors under the lease, taken from whoever has it."""
    world.nights += 1
    services = world.services()
    with holding(services, run_id=f"by-hand-{world.nights}", owner=NIGHTLY) as (fenced, lease):
        yield fenced, lease


def stalled_at(world: World, point: Point, successor: Callable[[World], None]) -> bool:
    """Whether the run came to that point, where `successor` takes the corpus over; then it goes on to its end."""
    came = False

    def passing(passed: Point) -> None:
        nonlocal came
        if passed is point and not came:
            came = True
            successor(world)

    world.nights += 1
    services = replace(world.services(), passing=passing)
    with suppress(Superseded):
        run_night(services, run_id=f"stalled-{world.nights}", owner=NIGHTLY, options=Options())
    return came


def settled(world: World) -> None:
    """Records, collection, alias and versions agree, and nothing is left open."""
    world.consistent()
    assert audit(world.services()).ok
    assert not UNFINISHED & {version.state for version in read_versions(world.state)}
    assert [entry.value.writing for entry in checkouts(world.services()) if entry.value.writing] == []


@BOTH
@pytest.mark.parametrize("successor", [another_night, a_sweep, an_erasure, a_repair])
def test_it_changes_nothing_of_theirs(
    tmp_path: Path, strategy: str, successor: Callable[[World], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightjar.lease._FRESH_S", 0.0)  # whoever stalls does so for longer than a second
    monkeypatch.setattr(inplace, "WINDOW", 1)
    start = edited(tmp_path, strategy)
    came = 0
    for point in Point:
        world = start.twin()
        if not stalled_at(world, point, successor):
            continue
        came += 1
        if successor is not another_night:  # which has ended whatever the stalled run had begun
            world.put("last.txt", "# Last\n\nThe last word of all.")
            world.night()
        settled(world)
        if successor is an_erasure:
            assert not any(SECRET in text for text in world.texts()), point
            assert traces(world) == [], point
    assert came > 12


def traces(world: World) -> list[str]:
    """Versions whose manifest or report still tells of the erased document."""
    found = []
    for version in read_versions(world.state):
        keys = load_manifest(world.state, version.manifest)["key"].to_pylist() if version.manifest else []
        if "h/people.txt" in keys:
            found.append(f"manifest of {version.number}")
    return found + [key for key in world.state.keys("versions/") if SECRET.encode() in world.state.objects[key]]


def test_a_version_that_somebody_else_moved_is_not_overwritten(tmp_path: Path) -> None:
    world = edited(tmp_path, "blue_green")
    world.night()
    seen = read_version(world.state, 2)
    save_version(world.state, replace(seen, reason="theirs"))
    with pytest.raises(Superseded, match="version 2 was changed by another run"):
        save_version(world.state, replace(seen, reason="ours"))
    assert read_version(world.state, 2).reason == "theirs"


def dead_at_the_end_of_its_writes(folder: Path) -> World:
    """In place, all written and nothing committed; then a bucket that only the new version names is cut short."""
    world = edited(folder, "in_place")
    world.nights += 1
    services = replace(world.services(), passing=died_at(Point.DELTA_WRITTEN))
    with pytest.raises(Killed):
        run_night(services, run_id="dead", owner=NIGHTLY, options=Options())
    truncate_own_bucket(world, 2, besides=1)
    return world


def truncate_own_bucket(world: World, number: int, *, besides: int) -> None:
    own = set(read_version(world.state, number).manifest) - set(read_version(world.state, besides).manifest)
    for key in own:
        world.state.write(key, world.state.objects[key][:-20])


@pytest.mark.parametrize("first", ["night", "repair"])
def test_a_writing_to_a_version_that_nobody_can_tell_is_ended_all_the_same(tmp_path: Path, first: str) -> None:
    world = dead_at_the_end_of_its_writes(tmp_path)
    if first == "repair":
        a_repair(world)
        settled(world)
        assert not any("everybody" in text for text in world.texts())
    assert world.night()["state"] == "live"
    settled(world)
    assert any("everybody" in text for text in world.texts())


@pytest.mark.parametrize("first", ["night", "repair"])
def test_a_rollback_to_a_version_that_nobody_can_tell_ends_where_it_is(tmp_path: Path, first: str) -> None:
    world = edited(tmp_path, "in_place")
    world.night()
    served = world.served()
    services = replace(world.services(), passing=died_at(Point.DELTA_WRITTEN))
    ask_return(services, to=1, reason="")
    with holding(services, run_id="back", owner=NIGHTLY) as (fenced, lease), pytest.raises(Killed):
        tidy(fenced, actor="mia", lease=lease)
    truncate_own_bucket(world, 1, besides=2)
    if first == "night":
        with pytest.raises(Misconfigured, match="audit --repair"):
            world.night()
    a_repair(world)
    settled(world)
    assert world.served() == served
    with pytest.raises(HeldBack, match="hold"):
        another_night(world)


def died_at(point: Point) -> Callable[[Point], None]:
    def passing(passed: Point) -> None:
        if passed is point:
            raise Killed

    return passing
