"""What a version's record says that its stages took."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World, handbook

from nightjar.errors import HeldBack
from nightjar.flows import decisions, timing
from nightjar.flows.versions import read_version
from nightjar.owner import Decider, Owner

STEP_S = 2.0
OF_SHARDS = {"parse", "chunk", "check", "embed"}
OF_A_NIGHT = {"plan", "access", "gates", "index", "verify", "promote"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Each step of a night takes two seconds; version 1 is live, and a document has changed since."""
    for module in (timing, decisions):
        monkeypatch.setattr(module, "stopwatch", lambda: lambda: STEP_S)
    world = World(tmp_path, handbook(index={"strategy": "in_place"}))
    world.put("leave.txt", "People may take thirty days of leave.")
    world.night()
    world.put("leave.txt", "People may take forty days of leave.")
    return world


def steps_of(world: World, number: int) -> dict[str, float]:
    seconds = read_version(world.state, number).cost["seconds"]
    assert seconds.keys() >= OF_SHARDS
    return {name: spent for name, spent in seconds.items() if name not in OF_SHARDS}


def test_a_version_says_what_each_stage_took(world: World) -> None:
    report = world.night()
    # Golden questions count as a gate.
    assert steps_of(world, 2) == dict.fromkeys(OF_A_NIGHT, STEP_S) | {"gates": 2 * STEP_S}
    assert {**read_version(world.state, 2).cost["seconds"], "total": report["seconds"]["total"]} == report["seconds"]


def test_a_version_that_was_rejected_says_what_its_judgement_took(world: World) -> None:
    world.configure(quality={"max_failed_documents": 0.05, "allowance": 0})
    world.put("leave.txt", "%BAD bytes")
    with pytest.raises(HeldBack):
        world.night()
    assert steps_of(world, 2) == dict.fromkeys(OF_A_NIGHT, 0.0) | dict.fromkeys(("plan", "access", "gates"), STEP_S)


def test_a_night_that_makes_just_what_was_rejected_leaves_the_cost_of_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.configure(quality={"max_failed_documents": 0.05, "allowance": 0})
    world.put("leave.txt", "%BAD bytes")
    with pytest.raises(HeldBack):
        world.night()
    monkeypatch.setattr(timing, "stopwatch", lambda: lambda: 2 * STEP_S)
    world.put("leave.txt", "%BAD other bytes")
    with pytest.raises(HeldBack, match="tonight makes the same"):
        world.night()
    assert steps_of(world, 2)["plan"] == STEP_S


def test_a_promotion_by_hand_is_added_to_what_the_night_took(world: World) -> None:
    with pytest.raises(HeldBack):
        world.night(promote=False)
    assert steps_of(world, 2) == dict.fromkeys(OF_A_NIGHT, 0.0) | dict.fromkeys(
        ("plan", "access", "gates", "index"), STEP_S
    )
    by = Decider("decision-1", Owner.command(), "mia@host", "looks right")
    decisions.promote(world.services(), 2, by=by)
    after = steps_of(world, 2)
    assert after["index"] == 2 * STEP_S
    assert after["gates"] == STEP_S
