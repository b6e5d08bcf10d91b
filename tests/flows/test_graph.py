"""A server that was killed has every object and not every place in its vector index: seen, told, and filled anew."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from world import Door, Killed, World, handbook, roll_back, three_nights

from nightjar.errors import HeldBack
from nightjar.flows.audit import audit, repair
from nightjar.flows.checkouts import move_checkout, read_checkout
from nightjar.flows.graph import RECENT, damage, finds
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import hold
from nightjar.flows.runs import Options
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import read_live, read_version
from nightjar.model import ChunkId, CollectionName
from nightjar.owner import Owner
from nightjar.ports import Hit, Query

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


def filled(folder: Path, strategy: str) -> World:
    world = World(folder, handbook(index={"strategy": strategy}))
    for number in range(12):
        world.put(f"{number}.txt", f"# Rule {number}\n\nRule number {number} was written on day {number * number}.")
    world.night()
    return world


def collection(world: World) -> CollectionName:
    live = read_live(world.state)
    assert live is not None
    return CollectionName(live.collection)


def unfound(world: World) -> list[str]:
    services, name = world.services(), collection(world)
    return [each.chunk_id for each in world.index.scan(name, vectors=True) if not finds(services, name, each)]


class Hasty(Door):
    """An approximate search that misses the nearest where it is asked for one only."""

    def search(self, name: str, query: Query) -> list[Hit]:
        return self._index.search(name, query) if query.limit > 1 else []


@BOTH
def test_the_next_night_fills_anew_and_embeds_nothing(tmp_path: Path, strategy: str) -> None:
    world = filled(tmp_path, strategy)
    served, lost = world.served(), collection(world)
    world.index.lose_graph(lost)
    world.embedder.embedded.clear()
    assert "finds 0 of 12 chunks" in str(disagreement(world.services(), read_live(world.state)))
    assert world.night()["state"] == "unchanged"
    assert collection(world) != lost
    assert world.served() == served
    assert world.embedder.embedded == []
    assert unfound(world) == []
    world.consistent()


@BOTH
@pytest.mark.parametrize("damaged", ["deaf", "gone"])
@pytest.mark.parametrize("held", [True, False], ids=["held", "free"])
def test_what_is_live_is_put_right_as_it_is(tmp_path: Path, strategy: str, damaged: str, *, held: bool) -> None:
    world = filled(tmp_path, strategy)
    served, lost = world.served(), collection(world)
    if held:
        hold(world.services(), reason="a holiday")
    if damaged == "deaf":
        world.index.lose_graph(lost)
    else:
        world.index.lose(world.corpus.alias)
    assert world.night()["state"] == "unchanged"
    live = read_live(world.state)
    assert live is not None
    assert (live.version, live.held) == (1, held)
    assert live.collection != lost
    assert read_version(world.state, 1).collection == live.collection
    assert world.served() == served
    assert unfound(world) == []
    world.consistent()
    assert world.night()["state"] == "unchanged"
    assert collection(world) == live.collection


def test_a_night_that_is_not_promoted_leaves_it_right(tmp_path: Path) -> None:
    world = filled(tmp_path, "blue_green")
    world.index.lose_graph(collection(world))
    world.put("new.txt", "# New\n\nOne more rule.")
    with pytest.raises(HeldBack, match="asked not to promote"):
        world.night(promote=False)
    assert len(world.served()) == 12
    assert unfound(world) == []
    world.consistent()


@BOTH
def test_a_restoring_that_dies_anywhere_is_ended_by_the_next_night(tmp_path: Path, strategy: str) -> None:
    start = filled(tmp_path, strategy)
    served = start.served()
    start.index.lose_graph(collection(start))
    for kill_at in itertools.count():
        world = start.twin()
        try:
            world.night(kill_at=kill_at)
        except Killed:
            assert world.served() == served
            world.night()
        else:
            assert kill_at > 10
            return
        assert world.served() == served
        assert unfound(world) == []
        assert read_version(world.state, 1).collection == collection(world)
        assert world.index.collections() == [collection(world)]
        world.consistent()


def test_a_retried_fill_begins_again(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(index={"strategy": "blue_green"}))
    for number in range(200):
        world.put(f"{number}.txt", f"# Rule {number}\n\nRule number {number} was written on day {number * number}.")

    def killed(point: Point) -> None:
        if point is Point.FILLED:
            (name,) = world.index.collections()
            first = itertools.islice(world.index.scan(name, vectors=False), 9)
            world.index.lose_graph(name, only={each.chunk_id for each in first})
            raise Killed

    world.nights += 1
    run = partial(run_night, run_id="night-1", owner=Owner.dag("reindex_handbook"), options=Options())
    with pytest.raises(Killed):
        run(replace(world.services(), passing=killed))
    assert run(world.services())["state"] == "live"
    assert unfound(world) == []


def test_few_new_chunks_of_a_long_document_are_asked_for(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(index={"strategy": "in_place"}))
    paragraphs = [f"Rule number {number} was written on day {number * number}." for number in range(300)]
    world.put("long.txt", "# Rules\n\n" + "\n\n".join(paragraphs))
    world.night()
    before = set(world.served())
    world.put("long.txt", "# Rules\n\nA new rule comes first.\n\n" + "\n\n".join(paragraphs))

    def killed(point: Point) -> None:
        if point is Point.DELTA_WRITTEN:
            world.index.lose_graph(collection(world), only=set(world.served()) - before)

    world.nights += 1
    with pytest.raises(HeldBack, match="what it wrote is taken back"):
        run_night(
            replace(world.services(), passing=killed),
            run_id="night-2",
            owner=Owner.dag("reindex_handbook"),
            options=Options(),
        )
    assert set(world.served()) == before


@pytest.mark.parametrize("point", [Point.CHECKED_OUT, Point.CREATED])
def test_a_proof_that_died_while_filling_anew_goes_on(tmp_path: Path, point: Point) -> None:
    world = filled(tmp_path, "blue_green")
    world.put("new.txt", "# New\n\nOne more rule.")
    passed: list[Point] = []

    def killed(here: Point) -> None:
        passed.append(here)
        if here is Point.CHECKED_OUT and passed.count(here) == 1:
            world.index.lose_graph(world.index.collections()[-1])
        if here is point and passed.count(Point.CREATED) == 2:
            raise Killed

    world.nights += 1
    run = partial(run_night, run_id="night-2", owner=Owner.dag("reindex_handbook"), options=Options())
    with pytest.raises(Killed):
        run(replace(world.services(), passing=killed))
    assert run(world.services())["state"] == "live"
    assert len(world.served()) == 13
    assert unfound(world) == []
    world.consistent()


def test_on_hold_lost_vectors_are_made_again_in_a_version_that_waits(tmp_path: Path) -> None:
    world = filled(tmp_path, "blue_green")
    hold(world.services(), reason="a holiday")
    world.index.lose_graph(collection(world))
    world.state.delete(list(world.state.keys("vectors/")))
    with pytest.raises(HeldBack, match="version 2 waits"):
        world.night()


def test_a_sound_one_is_left_alone(tmp_path: Path) -> None:
    world = filled(tmp_path, "blue_green")
    assert world.night()["state"] == "unchanged"


def test_a_few_lost_places_are_enough(tmp_path: Path) -> None:
    world = filled(tmp_path, "in_place")
    before = set(world.served())
    world.put("new.txt", "# New\n\nOne more rule.")
    world.night()
    (new,) = set(world.served()) - before
    world.index.lose_graph(collection(world), only={new})
    assert "finds 12 of 13 chunks" in str(disagreement(world.services(), read_live(world.state)))


@BOTH
def test_an_audit_names_it_and_repair_mends_it(tmp_path: Path, strategy: str) -> None:
    world = filled(tmp_path, strategy)
    served = world.served()
    world.index.lose_graph(collection(world))
    found = audit(world.services())
    assert not found.ok
    assert [problem for problem in found.problems if "finds 0 of 12" in problem]
    mended = repair(world.services(), run_id="audit-1", owner=Owner.dag("audit_handbook"))
    assert (mended.ok, mended.repaired) == (True, 12)
    assert world.served() == served
    assert unfound(world) == []
    world.consistent()


def test_an_audit_sees_it_where_the_newest_are_found(tmp_path: Path) -> None:
    world = filled(tmp_path, "blue_green")
    oldest = min(world.served())
    entry = read_checkout(world.state, collection(world))
    assert entry is not None
    recent = tuple(each for each in entry.value.recent if each != oldest)
    move_checkout(world.state, entry, replace(entry.value, recent=recent))
    world.index.lose_graph(collection(world), only={oldest})
    assert disagreement(world.services(), read_live(world.state)) is None
    assert not audit(world.services()).ok
    mended = repair(world.services(), run_id="audit-1", owner=Owner.dag("audit_handbook"))
    assert (mended.ok, mended.repaired) == (True, 12)
    assert unfound(world) == []
    world.consistent()


@BOTH
def test_a_rollback_goes_to_no_collection_that_lost_it(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)
    for name in world.index.collections():
        world.index.lose_graph(name)
    roll_back(world, to=2)
    assert world.served() == served[1]
    assert unfound(world) == []
    world.consistent()


def test_a_collection_that_loses_it_before_the_proof_is_filled_anew_in_the_same_night(tmp_path: Path) -> None:
    world = filled(tmp_path, "blue_green")
    world.put("new.txt", "# New\n\nOne more rule.")
    lost: list[CollectionName] = []

    def killed(point: Point) -> None:
        if point is Point.CHECKED_OUT and not lost:
            lost.append(world.index.collections()[-1])
            world.index.lose_graph(lost[0])

    services = replace(world.services(), passing=killed)
    report = run_night(services, run_id="night-2", owner=Owner.dag("reindex_handbook"), options=Options())
    assert report["state"] == "live"
    assert lost
    assert unfound(world) == []
    world.consistent()


def test_an_in_place_write_whose_places_are_lost_is_taken_back_and_the_next_night_fills_anew(tmp_path: Path) -> None:
    world = filled(tmp_path, "in_place")
    served = world.served()
    world.put("new.txt", "# New\n\nOne more rule.")

    def killed(point: Point) -> None:
        if point is Point.CHECKED_OUT or point is Point.DELTA_WRITTEN:
            world.index.lose_graph(collection(world))

    world.nights += 1
    services = replace(world.services(), passing=killed)
    with pytest.raises(HeldBack, match="what it wrote is taken back: the vector index of collection"):
        run_night(services, run_id="night-2", owner=Owner.dag("reindex_handbook"), options=Options())
    assert world.served() == served
    assert world.night()["state"] == "live"
    assert len(world.served()) == len(served) + 1
    assert unfound(world) == []
    world.consistent()


def test_a_miss_of_the_approximate_search_is_not_damage(tmp_path: Path) -> None:
    world = filled(tmp_path, "blue_green")
    name = collection(world)

    entry = read_checkout(world.state, name)
    assert entry is not None
    assert len(entry.value.recent) == 12
    assert damage(world.services(index=Hasty(world.index)), name, entry.value.recent) is None


def test_what_is_remembered_is_bounded_and_newest_last(tmp_path: Path) -> None:
    world = filled(tmp_path, "blue_green")
    entry = read_checkout(world.state, collection(world))
    assert entry is not None
    ids = [ChunkId(str(number)) for number in range(RECENT)]
    after = entry.value.after_writing(ids[:2]).after_writing(ids)
    assert list(after.recent) == ids
