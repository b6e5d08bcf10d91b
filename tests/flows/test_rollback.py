"""Going back, and staying there: by the alias where a collection stands, else by the reverse delta."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from world import Killed, World, handbook, roll_back, three_nights

from nightjar.artifacts import vectors_key
from nightjar.errors import HeldBack, Misconfigured, Superseded
from nightjar.flows.manifests import load_manifest
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return, hold, unhold
from nightjar.flows.runs import Options
from nightjar.flows.versions import read_live, read_version, read_versions
from nightjar.model import CollectionName
from nightjar.owner import Owner
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy

pytestmark = pytest.mark.slow

Served = Mapping[str, tuple[Mapping[str, Any], bytes]]
BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


@BOTH
@pytest.mark.parametrize("to", [1, 2, None])
def test_an_earlier_version_is_served_again_exactly(tmp_path: Path, strategy: str, to: int | None) -> None:
    world, served = three_nights(tmp_path, strategy)
    world.embedder.embedded.clear()
    world.parser.parsed.clear()
    roll_back(world, to=to)
    assert world.served() == served[(to or 2) - 1]
    assert (world.embedder.embedded, world.parser.parsed) == ([], [])
    world.consistent()


@BOTH
def test_versions_say_who_is_live_and_who_was_rolled_back(tmp_path: Path, strategy: str) -> None:
    world, _ = three_nights(tmp_path, strategy)
    roll_back(world, to=1)
    assert [version.state for version in read_versions(world.state)] == [State.ROLLED_BACK, State.RETIRED, State.LIVE]


@BOTH
def test_later_nights_build_and_wait_until_the_hold_is_released(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)
    roll_back(world)
    with pytest.raises(HeldBack, match="on hold: rolled back from version 3 to 2"):
        world.night()
    assert world.served() == served[1]
    assert read_versions(world.state)[0].state is State.WAITING
    unhold(world.services())
    assert world.night()["state"] == "live"
    assert world.texts() == {properties["text"] for properties, _ in served[2].values()}
    world.consistent()


@BOTH
def test_one_can_go_back_and_forth(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)
    for to in (1, 3, 2, 3):
        roll_back(world, to=to)
        assert world.served() == served[to - 1]
        world.consistent()


@BOTH
def test_a_rollback_killed_at_any_moment_is_finished_by_the_next_run(tmp_path: Path, strategy: str) -> None:
    start, served = three_nights(tmp_path, strategy)
    assert_finished_from_any_death(start, before=served[2], after=served[0])


def test_a_rollback_killed_at_any_moment_while_it_fills_a_collection_is_finished_by_the_next_run(
    tmp_path: Path,
) -> None:
    start = World(tmp_path, handbook(index={"strategy": "blue_green", "keep_collections": 1}))
    start.configure(embed={"switch": "automatic"})
    start.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    start.night()
    first = start.served()
    start.model = "another"
    start.put("leave.txt", "# Leave\n\nEveryone has forty days of leave a year.")
    start.night()
    assert len(start.index.collections()) == 1
    assert_finished_from_any_death(start, before=start.served(), after=first, most=2)


def assert_finished_from_any_death(start: World, *, before: Served, after: Served, most: int | None = None) -> None:
    """A rollback to version 1; `most` collections stand after it, and one fewer where it was not asked for in time."""
    for moment in itertools.count():
        world = start.twin()
        try:
            roll_back(world, to=1, kill_at=moment)
        except Killed:
            pass
        else:
            break
        asked = read_live(world.state)
        assert asked is not None
        with pytest.raises(HeldBack) if asked.held else nullcontext():
            world.night()
        assert world.served() == (after if asked.held else before), f"after a death at step {moment}"
        if most is not None:
            assert len(world.index.collections()) <= (most if asked.held else most - 1), "one is live, one waits"
        world.consistent()
    assert world.served() == after
    assert moment > 10


def test_a_version_that_was_never_live_is_refused(tmp_path: Path) -> None:
    world, _ = three_nights(tmp_path, "blue_green")
    world.put("new.txt", "# New\n\nNobody saw this.")
    with pytest.raises(HeldBack):
        world.night(promote=False)
    with pytest.raises(Misconfigured, match=r"never live: `nightjar rollback handbook --to N` goes to one of 2, 1$"):
        roll_back(world, to=4)


def test_the_first_version_has_nothing_before_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("leave.txt", "# Leave\n\nThirty days.")
    world.night()
    with pytest.raises(
        Misconfigured, match=r"nothing is before it: there is no other to go back to; .*`nightjar run handbook`"
    ):
        roll_back(world)


def test_where_nothing_is_before_the_live_version_those_that_were_live_after_it_are_named(tmp_path: Path) -> None:
    world, _ = three_nights(tmp_path, "blue_green")
    roll_back(world, to=1)
    with pytest.raises(Misconfigured, match=r"nothing is before it: `nightjar rollback handbook --to N` .* of 3, 2$"):
        roll_back(world)


def test_the_live_version_is_not_offered_as_a_way_back_to_itself(tmp_path: Path) -> None:
    world, _ = three_nights(tmp_path, "blue_green")
    with pytest.raises(Misconfigured, match=r"version 3 is live already: .* one of 2, 1$"):
        roll_back(world, to=3)


def test_without_a_live_version_a_way_back_says_how_there_comes_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nothing live to go back from: `nightjar run handbook` makes"):
        roll_back(World(tmp_path))


def test_a_hold_lets_nights_build_and_promote_nothing(tmp_path: Path) -> None:
    world, served = three_nights(tmp_path, "blue_green")
    hold(world.services(), reason="audit")
    world.put("new.txt", "# New\n\nNobody saw this.")
    with pytest.raises(HeldBack, match="on hold: audit"):
        world.night()
    assert world.served() == served[2]
    assert read_version(world.state, 4).state is State.WAITING


def test_nothing_is_written_where_one_of_many_documents_vectors_are_gone(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(index={"strategy": "in_place"}, drift={"enabled": False}))
    for days in ("thirty", "forty"):
        for number in range(120):
            world.put(f"{number}.txt", f"# Leave\n\nTeam {number} has {days} days of leave a year.")
        world.night()
    served = world.served()
    rows = load_manifest(world.state, read_version(world.state, 1).manifest).sort_by("document_id").to_pylist()
    world.state.delete([vectors_key(rows[-1]["embed_recipe"], rows[-1]["content_key"])])
    with pytest.raises(Misconfigured, match=r"vectors/.* is gone: run again with --recompute embed"):
        roll_back(world, to=1)
    assert world.served() == served


def test_a_way_back_that_only_drops_documents_is_verified_by_what_stands(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(index={"strategy": "blue_green"}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days.")
    world.night()
    served = world.served()
    world.put("travel.txt", "# Travel\n\nTrains before planes.\n\n# More\n\nBuses, too.")
    world.night()
    world.index.drop(CollectionName("Handbook_b0001"))
    roll_back(world, to=1)
    assert world.served() == served
    world.consistent()


@BOTH
def test_a_way_back_whose_vectors_are_gone_is_refused_before_the_hold(tmp_path: Path, strategy: str) -> None:
    world, served = three_nights(tmp_path, strategy)
    world.state.delete([key for key in world.state.objects if key.startswith("vectors/")])
    for name in world.index.collections():
        if name != world.index.alias("Handbook"):
            world.index.drop(name)
    with pytest.raises(Misconfigured, match="is gone"):
        roll_back(world, to=1)
    live = read_live(world.state)
    assert live is not None
    assert (live.held, world.served()) == (False, served[2])


@pytest.mark.parametrize("strategy", [Strategy.SHARED, Strategy.IN_PLACE])
def test_a_rollback_during_a_night_leaves_the_collection_that_the_night_had_from_another_version(
    tmp_path: Path, strategy: Strategy
) -> None:
    world, served = three_nights(tmp_path, "blue_green")
    live = read_live(world.state)
    assert live is not None
    if strategy == Strategy.IN_PLACE:
        world.configure(index={"strategy": "in_place"})
        world.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")
    else:
        world.put("broken.txt", "%BAD bytes")

    def passing(passed: Point) -> None:
        if passed is Point.EVALUATED:
            ask_return(world.services(), to=2, reason="bad answers")

    services = replace(world.services(), passing=passing)
    with pytest.raises(Superseded):
        run_night(services, run_id="night-4", owner=Owner.dag("reindex_handbook"), options=Options())
    assert read_version(world.state, 4).strategy == strategy
    roll_back(world, to=2)
    roll_back(world, to=3)
    back = read_live(world.state)
    assert back is not None
    assert (back.collection, world.served()) == (live.collection, served[2])


def test_a_killed_night_leaves_the_collection_of_an_earlier_version_that_it_would_have_shared(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("leave.txt", "# Leave\n\nThirty days.")
    world.night()
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    world.night()
    world.remove("new.txt")

    def passing(passed: Point) -> None:
        if passed is Point.VERIFIED:
            raise Killed

    services = replace(world.services(), passing=passing)
    with pytest.raises(Killed):
        run_night(services, run_id="killed", owner=Owner.dag("reindex_handbook"), options=Options())
    world.night()
    first, third = (read_version(world.state, number) for number in (1, 3))
    assert (third.state, third.collection) == (State.ABANDONED, None)
    assert first.collection in world.index.collections()


def test_a_long_hold_keeps_one_waiting_collection(tmp_path: Path) -> None:
    world, _ = three_nights(tmp_path, "blue_green")
    hold(world.services(), reason="audit")
    standing = len(world.index.collections())
    for night in range(3):
        world.put("new.txt", f"# New\n\nNobody saw night {night}.")
        with pytest.raises(HeldBack, match="on hold"):
            world.night()
    assert len(world.index.collections()) == standing
    unhold(world.services())
    assert world.night()["state"] == "live"
    world.consistent()


@BOTH
@pytest.mark.parametrize(("before", "after"), [("text", "date"), ("int", "date"), ("text", "int"), ("text", "text[]")])
def test_a_version_is_served_again_whatever_kind_its_fields_have_since(
    tmp_path: Path, strategy: str, before: str, after: str
) -> None:
    kinds = {"metadata": {"fields": {"when": before}}}
    world = World(tmp_path, handbook(**kinds, index={"strategy": strategy, "keep_collections": 1}))
    world.put("leave.txt", "Thirty days of leave.")
    world.put("leave.txt.metadata.json", '{"when": "2024"}')
    world.night()
    world.configure(metadata={"fields": {"when": after}})
    world.night()
    world.put("leave.txt", "Forty days of leave.")
    world.night()
    roll_back(world, to=1)
    (served,) = [properties for properties, _ in world.served().values()]
    assert served["text"] == "Thirty days of leave."
    assert served["when"] == {"date": None, "int": 2024, "text[]": ("2024",)}[after]
    world.consistent()
