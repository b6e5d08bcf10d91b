"""Nights that write into the collection that people search: what is written and taken back, what is never missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from clocks import Time
from world import Door, World, handbook

from nightjar.adapters.memory.index import MemoryIndex
from nightjar.errors import HeldBack, Superseded
from nightjar.flows import inplace
from nightjar.flows.checkouts import Writing, move_checkout, read_checkout
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import hold
from nightjar.flows.runs import Options
from nightjar.flows.versions import read_live, read_version, read_versions
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.owner import Owner
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy

REINDEX = Owner.dag("reindex_handbook")
LEAVE = "# Leave\n\nEveryone has thirty days of leave a year."


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, handbook(index={"strategy": "in_place"}))
    world.put("leave.txt", LEAVE)
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    return world


def test_a_first_version_gets_a_collection_of_its_own(world: World) -> None:
    assert read_version(world.state, 1).strategy == Strategy.BLUE_GREEN


def test_a_second_one_is_written_into_it(world: World) -> None:
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    report = world.night()
    assert (report["state"], read_version(world.state, 2).strategy) == ("live", Strategy.IN_PLACE)
    assert len(world.index.collections()) == 1
    assert (report["chunks"]["written"], report["chunks"]["deleted"]) == (1, 1)
    world.consistent()


@pytest.mark.parametrize(
    ("removed", "changed", "strategy"),
    [
        (10, 0, Strategy.BLUE_GREEN),
        (2, 0, Strategy.IN_PLACE),
        (0, 4, Strategy.IN_PLACE),
        (0, 5, Strategy.BLUE_GREEN),
        (2, 3, Strategy.BLUE_GREEN),
    ],
)
def test_by_itself_it_writes_in_place_what_touches_a_fifth_at_most_removed_documents_too(
    tmp_path: Path, removed: int, changed: int, strategy: Strategy
) -> None:
    world = World(tmp_path, handbook(index={"strategy": "auto", "blue_green_below": 0}))
    names = [f"{number:02}.txt" for number in range(20)]
    for name in names:
        world.put(name, f"# {name}\n\nThis is what {name} has to say.")
    world.night()
    world.remove(*names[:removed])
    for name in names[removed : removed + changed]:
        world.put(name, f"# {name}\n\nThis is what {name} says now.")
    world.night(approve_deletions=True)
    assert read_version(world.state, 2).strategy == strategy
    assert len(world.served()) == 20 - removed


def test_only_documents_that_differ_are_written(world: World) -> None:
    before = world.served()
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    world.night()
    assert before.items() <= world.served().items()


def test_a_changed_property_keeps_the_vector(world: World) -> None:
    before = {chunk: vector for chunk, (_, vector) in world.served().items()}
    world.corpus = handbook(
        index={"strategy": "in_place"}, metadata={"fields": {"team": "text"}, "fixed": {"team": "hr"}}
    )
    world.embedder.embedded.clear()
    report = world.night()
    assert {chunk: vector for chunk, (_, vector) in world.served().items()} == before
    assert {properties["team"] for properties, _ in world.served().values()} == {"hr"}
    assert (world.embedder.embedded, report["chunks"]["embedded"]) == ([], 0)
    assert len(world.index.collections()) == 1


@pytest.mark.parametrize("fields", [{}, {"team": "int"}], ids=["removed", "retyped"])
def test_a_field_that_goes_or_changes_its_type_needs_a_collection_of_its_own(
    world: World, fields: dict[str, str]
) -> None:
    world.corpus = handbook(index={"strategy": "in_place"}, metadata={"fields": {"team": "text"}})
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    world.night()
    world.corpus = handbook(index={"strategy": "in_place"}, metadata={"fields": fields})
    world.put("newer.txt", "# Parking\n\nBehind the house.")
    world.night()
    assert read_version(world.state, 3).strategy == Strategy.BLUE_GREEN
    world.consistent()


def test_another_model_needs_a_collection_of_its_own(world: World) -> None:
    world.corpus = handbook(index={"strategy": "in_place"}, embed={"switch": "automatic"})
    world.model = "other"
    world.night()
    assert read_version(world.state, 2).strategy == Strategy.BLUE_GREEN


def test_a_version_that_must_wait_writes_nothing_to_what_people_search(world: World) -> None:
    before = world.served()
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    with pytest.raises(HeldBack, match="asked not to promote"):
        world.night(promote=False)
    assert world.served() == before
    assert read_versions(world.state)[0].state is State.WAITING


def test_a_hold_that_comes_after_the_write_takes_it_back(world: World) -> None:
    before = world.served()
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))

    def passing(passed: Point) -> None:
        if passed is Point.VERIFIED:
            hold(world.services(), reason="audit")

    with pytest.raises(HeldBack, match="version 2 waits: corpus handbook is on hold: audit"):
        run_night(replace(world.services(), passing=passing), run_id="night-2", owner=REINDEX, options=Options())
    assert world.served() == before
    version = read_version(world.state, 2)
    assert (version.state, version.collection) == (State.WAITING, None)
    world.consistent()


def test_no_document_is_missing_at_any_moment(world: World) -> None:
    watched = Watched(world.index, watch=lambda: documents(world))
    due = documents(world)
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    world.put("travel.txt", "# Travel\n\nPlanes are for oceans.")
    world.night(index=watched)
    assert watched.seen
    assert all(due <= seen for seen in watched.seen)


def test_writes_of_a_night_whose_source_was_restored_meanwhile_are_taken_back(world: World) -> None:
    before = world.served()
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    with pytest.raises(Stopped):
        world.night(index=StoppedAt(world.index, "count", after="delete"))
    assert world.served() != before
    world.source.put("h/leave.txt", LEAVE.encode())
    world.night()
    assert {c: v for c, (_, v) in world.served().items()} == {c: v for c, (_, v) in before.items()}
    world.consistent()


def test_a_writing_that_was_committed_is_finished_and_not_undone(world: World) -> None:
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    world.night()
    served = world.served()
    live = read_live(world.state)
    assert live is not None
    entry = read_checkout(world.state, live.collection)
    assert entry is not None
    before = read_version(world.state, 1)
    reopened = replace(entry.value.holding(before), writing=Writing(1, 2, "night-2"))
    move_checkout(world.state, entry, reopened)
    assert world.night()["state"] == "unchanged"
    assert world.served() == served
    world.consistent()


def test_a_collection_that_is_not_the_checkout_is_taken_back_at_once(world: World) -> None:
    before = world.served()
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    with pytest.raises(HeldBack, match="taken back"):
        world.night(index=Forgetful(world.index))
    assert world.served() == before
    assert read_versions(world.state)[0].state is State.REJECTED
    world.consistent()


@pytest.mark.parametrize(("call", "ended"), [("write", (2, 0)), ("delete", (6, 2))])
def test_a_run_that_loses_its_lease_in_a_large_document_changes_no_more_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str, ended: tuple[int, int]
) -> None:
    monkeypatch.setattr(inplace, "WINDOW", 2)
    for day in ("Monday", "Tuesday"):
        world.put("large.txt", "\n\n".join(f"# Part {part}\n\n{f'{day} {part} ' * 80}" for part in range(3)))
        world.night()
    time = Time()
    overtaken = Overtaken(world, time, call=call)
    lease = Lease.acquire(world.state, run_id="one", owner=REINDEX, clock=time.clock)
    before, after = (read_version(world.state, number) for number in (2, 3))
    with pytest.raises(Superseded):
        inplace.bring(
            world.services(index=overtaken),  # type: ignore[arg-type]  # it passes on what it does not count
            CollectionName(str(after.collection)),
            after,
            before,
            lease=lease,
        )
    assert (overtaken.calls.count("write"), overtaken.calls.count("delete")) == ended
    assert overtaken.calls == sorted(overtaken.calls, reverse=True)


def documents(world: World) -> set[object]:
    return {properties["document_id"] for properties, _ in world.served().values()}


class Watched(Door):
    """Looks after every write and every deletion."""

    def __init__(self, index: MemoryIndex, *, watch: Callable[[], set[object]]) -> None:
        super().__init__(index)
        self._watch = watch
        self.seen: list[set[object]] = []

    def write(self, name: CollectionName, objects: Iterable[IndexObject]) -> int:
        given = self._index.write(name, objects)
        self.seen.append(self._watch())
        return given

    def delete(self, name: CollectionName, ids: Sequence[ChunkId]) -> None:
        self._index.delete(name, ids)
        self.seen.append(self._watch())


class Overtaken(Door):
    """Another run takes the lease after the first `call`; `calls` names, for each object, what was done to it."""

    def __init__(self, world: World, time: Time, *, call: str) -> None:
        super().__init__(world.index)
        self._world, self._time, self._call = world, time, call
        self.calls: list[str] = []

    def write(self, name: CollectionName, objects: Iterable[IndexObject]) -> int:
        given = list(objects)
        self._did("write", len(given))
        return self._index.write(name, given)

    def delete(self, name: CollectionName, ids: Sequence[ChunkId]) -> None:
        self._did("delete", len(ids))
        self._index.delete(name, ids)

    def _did(self, call: str, objects: int) -> None:
        if call == self._call and call not in self.calls:
            self._time.seconds += 5
            Lease.acquire(self._world.state, run_id="two", owner=REINDEX, clock=self._time.clock)
        self.calls += [call] * objects


class Stopped(BaseException):
    """The process ended here."""


class StoppedAt(Door):
    """Ends at the first call of `name` once `after` was called."""

    def __init__(self, index: MemoryIndex, name: str, *, after: str) -> None:
        super().__init__(index)
        self._name, self._after, self._armed = name, after, False

    def __getattr__(self, name: str) -> object:
        self._armed = self._armed or name == self._after
        if self._armed and name == self._name:
            raise Stopped
        return super().__getattr__(name)


class Forgetful(Door):
    """Loses one new object of the first write, and confirms it all the same."""

    def __init__(self, index: MemoryIndex) -> None:
        super().__init__(index)
        self._lost = False

    def write(self, name: CollectionName, objects: Iterable[IndexObject]) -> int:
        given = list(objects)
        kept = given if self._lost else given[1:]
        self._lost = True
        self._index.write(name, kept)
        return len(given)


def test_a_night_without_a_new_object_is_not_judged_by_the_neighbours_of_before(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(index={"strategy": "in_place"}))
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    for days in ("thirty", "forty"):
        world.put("leave.txt", f"# Leave\n\nEveryone has {days} days of leave a year.")
        world.night()
    world.put("broken.txt", "%BAD bytes")
    assert world.night()["state"] == "live"
    world.consistent()
