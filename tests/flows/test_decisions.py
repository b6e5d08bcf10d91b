"""What a person decides: a version that waits is promoted as it is or built anew, or rejected for good."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from world import Killed, Killer, World, handbook

from nightjar.errors import HeldBack, Misconfigured, Superseded
from nightjar.flows.decisions import Decision, promote, reject
from nightjar.flows.deletions import read_withheld
from nightjar.flows.erasing import forget
from nightjar.flows.fence import holding
from nightjar.flows.points import Point
from nightjar.flows.rollback import hold
from nightjar.flows.versions import read_live, read_version, read_versions
from nightjar.owner import Decider, Owner
from nightjar.stages.states import State

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


def decider(world: World, *, reason: str = "looks right") -> Decider:
    world.nights += 1
    return Decider(f"decision-{world.nights}", Owner.dag("reindex_handbook"), "mia@host", reason)


def decide(
    world: World, number: int, *, verb: Callable[..., Decision] = promote, kill_at: int | None = None
) -> Decision:
    by = decider(world)
    if kill_at is None:
        return verb(world.services(), number, by=by)
    steps = itertools.count()
    state, index = (Killer(door, steps, at=kill_at) for door in (world.state, world.index))
    return verb(world.services(state=state, index=index), number, by=by)


def live_number(world: World) -> int:
    live = read_live(world.state)
    assert live is not None
    return live.version


def state_of(world: World, number: int) -> State:
    return read_version(world.state, number).state


def waiting(folder: Path, strategy: str) -> World:
    """Version 1 is live, version 2 says forty days and waits."""
    world = World(folder, handbook(index={"strategy": strategy}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    world.put("leave.txt", "# Leave\n\nEveryone has forty days of leave a year.")
    with pytest.raises(HeldBack):
        world.night(promote=False)
    return world


def overtaken(folder: Path, strategy: str) -> World:
    """Version 2 says forty days and waits; version 3 with other news went live since, for that document alone."""
    world = waiting(folder, strategy)
    world.put("travel.txt", "# Travel\n\nPlanes are for oceans.")
    world.night(prefix="travel")
    assert live_number(world) == 3
    return world


@BOTH
def test_a_version_that_waits_is_promoted_as_it_is(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    world.embedder.embedded.clear()
    assert decide(world, 2) == Decision(2, State.LIVE, 2)
    assert any("forty" in text for text in world.texts())
    assert world.embedder.embedded == []
    world.consistent()


@BOTH
def test_history_says_who_promoted_it_and_why(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    decide(world, 2)
    steps = read_version(world.state, 2).history
    assert {"actor": "mia@host", "reason": "promotion by hand: looks right"}.items() <= steps[-3].items() | (
        steps[-4].items()
    )
    assert (steps[-1]["state"], steps[-1]["actor"]) == ("live", "mia@host")


@BOTH
def test_promoting_it_again_changes_nothing(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    decide(world, 2)
    before = read_versions(world.state)
    assert decide(world, 2) == Decision(2, State.LIVE, 2)
    assert read_versions(world.state) == before


def test_a_collection_that_was_filled_when_the_version_was_made_is_used(tmp_path: Path) -> None:
    world = waiting(tmp_path, "blue_green")
    collection = read_version(world.state, 2).collection
    decide(world, 2)
    assert world.index.alias("Handbook") == collection


def test_a_collection_that_was_lost_meanwhile_is_filled_anew(tmp_path: Path) -> None:
    world = waiting(tmp_path, "blue_green")
    collection = read_version(world.state, 2).collection
    assert collection is not None
    world.index.drop(collection)  # type: ignore[arg-type]
    decide(world, 2)
    assert any("forty" in text for text in world.texts())
    world.consistent()


@BOTH
def test_a_person_may_promote_under_a_hold_which_stays(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    hold(world.services(), reason="audit", actor="mia@host")
    decide(world, 2)
    live = read_live(world.state)
    assert live is not None
    assert (live.version, live.held, live.held_reason, live.held_by) == (2, True, "audit", "mia@host")


@BOTH
def test_a_hold_that_comes_while_a_person_promotes_leaves_what_is_live_and_the_version_waits(
    tmp_path: Path, strategy: str
) -> None:
    world = waiting(tmp_path, strategy)
    before = world.served()

    def passing(passed: Point) -> None:
        if passed is Point.VERIFIED:
            hold(world.services(), reason="audit")

    with pytest.raises(Superseded):
        promote(replace(world.services(), passing=passing), 2, by=decider(world))
    assert (world.served(), state_of(world, 2)) == (before, State.WAITING)
    world.consistent()
    decide(world, 2)
    assert live_number(world) == 2


@BOTH
def test_a_version_that_the_quality_gate_rejected_can_be_promoted(tmp_path: Path, strategy: str) -> None:
    world = rejected(tmp_path, strategy)
    decide(world, 2)
    assert live_number(world) == 2
    assert any("forty" in text for text in world.texts())
    world.consistent()


def rejected(folder: Path, strategy: str) -> World:
    """Version 2 cannot read two documents that are served, so the gate rejected it."""
    rules = {"allowance": 0, "max_failed_documents": "5%"}
    world = World(folder, handbook(index={"strategy": strategy}, quality=rules))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    for name in ("a", "b"):
        world.put(f"{name}.txt", f"# {name}\n\nIt could be read once, number {name}.")
    world.night()
    world.put("leave.txt", "# Leave\n\nEveryone has forty days of leave a year.")
    for name in ("a", "b"):
        world.put(f"{name}.txt", "%BAD bytes")
    with pytest.raises(HeldBack, match="rejected"):
        world.night()
    return world


@BOTH
def test_a_rejected_version_that_was_overtaken_is_built_anew_and_its_gate_overruled(
    tmp_path: Path, strategy: str
) -> None:
    world = rejected(tmp_path, strategy)
    world.put("good.txt", "# Good\n\nThis one can be read.")
    world.night(prefix="good")
    assert decide(world, 2) == Decision(2, State.ABANDONED, 4, rebuilt=4)
    assert any("forty" in text for text in world.texts())


@BOTH
def test_a_version_that_was_overtaken_is_built_anew_on_what_is_live(tmp_path: Path, strategy: str) -> None:
    world = overtaken(tmp_path, strategy)
    assert decide(world, 2) == Decision(2, State.ABANDONED, 4, rebuilt=4)
    told = " ".join(world.texts())
    assert ("forty" in told, "Planes" in told, "thirty" in told, "Trains" in told) == (True, True, False, False)
    world.consistent()


@BOTH
def test_what_was_embedded_for_it_is_used_again(tmp_path: Path, strategy: str) -> None:
    world = overtaken(tmp_path, strategy)
    world.embedder.embedded.clear()
    decide(world, 2)
    assert world.embedder.embedded == []


@BOTH
def test_the_old_one_says_by_which_it_was_rebuilt(tmp_path: Path, strategy: str) -> None:
    world = overtaken(tmp_path, strategy)
    decide(world, 2)
    old, new = (read_version(world.state, number) for number in (2, 4))
    assert (old.state, old.reason, old.collection) == (State.ABANDONED, "rebuilt as version 4", None)
    assert (new.parent, new.rebuilds) == (3, 2)


@BOTH
def test_promoting_a_rebuilt_version_again_names_its_heir(tmp_path: Path, strategy: str) -> None:
    world = overtaken(tmp_path, strategy)
    decide(world, 2)
    assert decide(world, 2) == Decision(2, State.ABANDONED, 4, rebuilt=4)
    assert live_number(world) == 4


@BOTH
def test_a_version_that_equals_what_is_live_by_now_is_left(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    world.night()
    assert decide(world, 2) == Decision(2, State.ABANDONED, 3)
    assert "equals version 3" in read_version(world.state, 2).reason


def test_a_rebuild_under_a_hold_is_promoted_and_the_hold_stays(tmp_path: Path) -> None:
    world = overtaken(tmp_path, "blue_green")
    hold(world.services(), reason="audit")
    decide(world, 2)
    live = read_live(world.state)
    assert live is not None
    assert (live.version, live.held) == (4, True)


def replayed(folder: Path, *names: str) -> World:
    """Version 2 made these documents again and waits; version 3 with other news went live since."""
    world = World(folder)
    for name in ("leave", "travel", "rooms"):
        world.put(f"{name}.txt", f"# {name.title()}\n\nWhat holds for {name} stands here.")
    world.night()
    for name in names:
        world.put(f"{name}.txt", f"# {name.title()}\n\nWhat holds for {name} was changed.")
    with pytest.raises(HeldBack):
        world.night(promote=False, documents=tuple(f"s3://documents/h/{name}.txt" for name in names))
    world.put("rooms.txt", "# Rooms\n\nEvery room has a number now.")
    world.night(prefix="rooms")
    return world


def erased(world: World, name: str) -> None:
    with holding(world.services(), run_id="forget", owner=Owner.command()) as (services, lease):
        forget(services, [f"s3://documents/h/{name}.txt"], reason="asked", lease=lease, actor="mia@host")


def deleted(world: World, name: str) -> None:
    world.remove(f"{name}.txt")
    world.night(prefix=name)


@pytest.mark.parametrize("lose", [erased, deleted])
def test_a_rebuild_of_named_documents_does_without_one_that_is_gone_since(
    tmp_path: Path, lose: Callable[[World, str], None]
) -> None:
    world = replayed(tmp_path, "leave", "travel")
    lose(world, "leave")
    assert decide(world, 2).rebuilt == live_number(world)
    assert documents(world) == {"travel.txt", "rooms.txt"}
    assert any("travel was changed" in text for text in world.texts())


@pytest.mark.parametrize("lose", [erased, deleted])
def test_a_version_of_named_documents_that_are_all_gone_equals_what_is_live(
    tmp_path: Path, lose: Callable[[World, str], None]
) -> None:
    world = replayed(tmp_path, "leave")
    lose(world, "leave")
    assert decide(world, 2) == Decision(2, State.ABANDONED, live_number(world))


@pytest.mark.parametrize("asked", [{"full_refresh": True}, {"recompute": "embed"}, {"recompute": "parse"}])
def test_what_a_version_made_again_is_not_made_a_third_time_where_it_is_rebuilt(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    world = World(tmp_path)
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.night()
    world.put("news.txt", "# News\n\nThe canteen has a new cook.")
    with pytest.raises(HeldBack):
        world.night(promote=False, **asked)
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night(prefix="travel")
    world.embedder.embedded.clear()
    world.parser.parsed.clear()
    assert decide(world, 2).rebuilt == 4
    assert (world.embedder.embedded, world.parser.parsed) == ([], [])


def with_approved_deletions(folder: Path, *names: str) -> World:
    """Version 2 lets these of forty documents go, which was approved, and waits; version 3 went live since."""
    world = World(folder)
    for number in range(40):
        world.put(f"{number:02}.txt", f"# Team {number}\n\nTeam {number} has thirty days of leave a year.")
    world.night()
    world.remove(*names)
    world.put("news.txt", "# News\n\nThe canteen has a new cook.")
    with pytest.raises(HeldBack):
        world.night(promote=False, approve_deletions=True)
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night(prefix="travel")
    assert live_number(world) == 3
    return world


def documents(world: World) -> set[str]:
    return {str(properties["source_uri"]).rpartition("/")[2] for properties, _ in world.served().values()}


def test_a_rebuild_lets_go_what_was_approved_for_the_version_that_waited(tmp_path: Path) -> None:
    gone = [f"{number:02}.txt" for number in range(12)]
    world = with_approved_deletions(tmp_path, *gone)
    decide(world, 2)
    assert documents(world) == {"news.txt", "travel.txt", *(f"{number:02}.txt" for number in range(12, 40))}


def test_a_rebuild_guards_what_went_missing_since_the_approval(tmp_path: Path) -> None:
    world = with_approved_deletions(tmp_path, "00.txt")
    vanished = {f"{number:02}.txt" for number in range(1, 36)}
    world.remove(*vanished)
    decide(world, 2)
    assert documents(world) == {"news.txt", "travel.txt", *(f"{number:02}.txt" for number in range(1, 40))}
    assert {row["uri"].rpartition("/")[2] for row in read_withheld(world.state).to_pylist()} == vanished


def test_a_rebuild_whose_first_plan_is_gone_approves_no_deletion(tmp_path: Path) -> None:
    world = with_approved_deletions(tmp_path, *(f"{number:02}.txt" for number in range(12)))
    world.state.delete(["runs/night-2/gone.parquet", "runs/night-2/plan.json", "runs/night-2/work.parquet"])
    decide(world, 2)
    assert len(documents(world)) == 42


def test_an_approval_that_nothing_needed_is_not_carried_over(tmp_path: Path) -> None:
    world = with_approved_deletions(tmp_path)
    world.remove(*(f"{number:02}.txt" for number in range(12)))
    decide(world, 2)
    assert len(documents(world)) == 42


def new_model(folder: Path) -> World:
    """Version 2 is embedded by another model and waits; version 3 went live since."""
    world = World(folder)
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.night()
    world.model = "other"
    with pytest.raises(HeldBack, match="embedding changed"):
        world.night()
    world.model = "memory"
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    return world


def test_a_changed_model_is_approved_with_the_version_that_waited_for_it(tmp_path: Path) -> None:
    world = new_model(tmp_path)
    world.model = "other"
    assert decide(world, 2).live == 4
    assert read_version(world.state, 4).recipe_parts["embed"] == {"model": "other"}


def test_a_third_model_is_not(tmp_path: Path) -> None:
    world = new_model(tmp_path)
    world.model = "third"
    with pytest.raises(HeldBack, match="another recipe than version 2"):
        decide(world, 2)
    assert live_number(world) == 3


def lossy(folder: Path, *failing: str) -> World:
    """As `new_model` over three documents; these fail under the new one, which was seen when it was made to wait."""
    world = World(folder, handbook(quality={"allowance": 5}))
    for name in ("leave", "pay", "sport"):
        world.put(f"{name}.txt", f"# {name}\n\nThis is what is said of {name}.")
    world.night()
    world.model = "other"
    for name in failing:
        world.put(f"{name}.txt", "%BAD bytes")
    with pytest.raises(HeldBack, match="embedding changed"):
        world.night()
    world.model = "memory"
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night(prefix="travel")
    world.model = "other"
    return world


def test_a_rebuild_that_would_lose_documents_waits_although_its_model_is_approved(tmp_path: Path) -> None:
    world = lossy(tmp_path)
    world.put("leave.txt", "%BAD bytes")
    with pytest.raises(HeldBack, match="version 4 waits: 1 document that people find now failed"):
        decide(world, 2)
    assert (live_number(world), "leave.txt" in documents(world)) == (3, True)


def test_documents_whose_loss_was_approved_are_lost_by_the_rebuild(tmp_path: Path) -> None:
    world = lossy(tmp_path, "leave")
    assert decide(world, 2).live == 4
    assert documents(world) == {"pay.txt", "sport.txt", "travel.txt"}


def test_the_loss_of_one_document_approves_that_of_no_other(tmp_path: Path) -> None:
    world = lossy(tmp_path, "leave")
    world.put("leave.txt", "# Leave\n\nIt can be read again.")
    world.put("pay.txt", "%BAD bytes")
    with pytest.raises(HeldBack, match="version 4 waits: 1 document"):
        decide(world, 2)


def test_a_rebuild_that_waits_for_what_it_would_lose_is_promoted_as_it_is(tmp_path: Path) -> None:
    world = lossy(tmp_path)
    world.put("leave.txt", "%BAD bytes")
    with pytest.raises(HeldBack):
        decide(world, 2)
    assert decide(world, 4) == Decision(4, State.LIVE, 4)
    assert state_of(world, 2) is State.ABANDONED


def test_a_rebuild_asks_for_no_other_approval_of_its_cost(tmp_path: Path) -> None:
    world = overtaken(tmp_path, "blue_green")
    world.configure(limits={"tokens": 1})
    assert decide(world, 2).live == 4


@pytest.mark.parametrize("verb", [promote, reject])
def test_a_version_that_was_live_is_gone_back_to_instead(tmp_path: Path, verb: Callable[..., Decision]) -> None:
    world = waiting(tmp_path, "blue_green")
    decide(world, 2)
    with pytest.raises(Misconfigured, match="nightjar rollback handbook --to 1"):
        decide(world, 1, verb=verb)


@BOTH
def test_a_rejected_version_loses_its_collection_and_says_who_and_why(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    assert decide(world, 2, verb=reject) == Decision(2, State.REJECTED, 1)
    version = read_version(world.state, 2)
    assert (version.state, version.reason, version.collection) == (
        State.REJECTED,
        "rejected by mia@host: looks right",
        None,
    )
    assert len(world.index.collections()) == 1


@BOTH
def test_rejecting_again_changes_nothing(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    decide(world, 2, verb=reject)
    before = read_version(world.state, 2)
    decide(world, 2, verb=reject)
    assert read_version(world.state, 2) == before


@BOTH
@pytest.mark.parametrize(("made", "due"), [(waiting, 2), (overtaken, 4)], ids=["as it is", "rebuilt"])
@pytest.mark.parametrize("night_between", [False, True], ids=["repeated", "a night between"])
def test_a_promotion_killed_at_any_moment_ends_as_if_it_had_not_been(
    tmp_path: Path, strategy: str, made: Callable[[Path, str], World], due: int, *, night_between: bool
) -> None:
    before = made(tmp_path, strategy)
    sound = before.twin()
    decide(sound, 2)
    moment = 0
    while True:
        world = before.twin()
        try:
            decide(world, 2, kill_at=moment)
        except Killed:
            pass
        else:
            break
        if night_between:
            world.night(prefix="nothing")
        decide(world, 2)
        assert world.served() == sound.served(), f"after a death at step {moment}"
        assert_settled(world, due=due)
        moment += 1
    assert moment > 5


def assert_settled(world: World, *, due: int) -> None:
    world.consistent()
    assert live_number(world) >= due
    states: dict[Any, list[int]] = {}
    for version in read_versions(world.state):
        states.setdefault(version.state, []).append(version.number)
    assert states.keys() <= {State.LIVE, State.RETIRED, State.ABANDONED}
    assert len(states[State.LIVE]) == 1


@BOTH
def test_a_rejection_killed_at_any_moment_is_finished_by_its_repetition(tmp_path: Path, strategy: str) -> None:
    before = waiting(tmp_path, strategy)
    moment = 0
    while True:
        world = before.twin()
        try:
            decide(world, 2, verb=reject, kill_at=moment)
        except Killed:
            pass
        else:
            break
        decide(world, 2, verb=reject)
        assert state_of(world, 2) is State.REJECTED
        assert len(world.index.collections()) == 1
        world.consistent()
        moment += 1
    assert moment > 2
