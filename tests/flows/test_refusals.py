"""A night that would make again what was refused, or what waits, makes no further version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from world import World, handbook

from nightjar.errors import HeldBack
from nightjar.flows.decisions import reject
from nightjar.flows.night import report_of
from nightjar.flows.promotion import promote
from nightjar.flows.rollback import hold, unhold
from nightjar.flows.runs import resume
from nightjar.flows.versions import read_versions
from nightjar.lease import Lease
from nightjar.owner import Decider, Owner


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, handbook(quality={"allowance": 0, "max_failed_documents": "30%"}))
    for number in range(4):
        world.put(f"{number}.txt", f"Text number {number}.")
    world.night()
    return world


def spoil(world: World, *names: str) -> None:
    for name in names:
        world.put(name, "")


def held_back(world: World, **options: Any) -> Mapping[str, Any]:
    with pytest.raises(HeldBack):
        world.night(**options)
    report = report_of(world.services(), f"night-{world.nights}")
    assert report is not None
    return report


def numbers(world: World) -> list[int]:
    return [version.number for version in read_versions(world.state)]


def test_a_night_equal_to_a_rejected_one_names_it_and_makes_none(world: World) -> None:
    spoil(world, "0.txt", "1.txt")
    first = held_back(world)
    again = held_back(world)
    assert (first["version"], first["state"]) == (2, "rejected")
    assert (again["version"], again["state"]) == (2, "rejected")
    assert "version 2 is rejected, and tonight makes the same" in again["reason"]
    assert again["chunks"]["embedded"] == 0
    assert again["documents"]["quarantined"] == 2
    assert numbers(world) == [2, 1]
    world.consistent()


def test_other_documents_are_judged_anew(world: World) -> None:
    spoil(world, "0.txt", "1.txt")
    held_back(world)
    world.put("2.txt", "Another text.")
    assert held_back(world)["version"] == 3


def test_changed_rules_judge_the_same_documents_anew(world: World) -> None:
    spoil(world, "0.txt", "1.txt")
    held_back(world)
    world.configure(quality={"max_failed_documents": 0.6})
    assert world.night()["state"] == "live"
    assert numbers(world) == [3, 2, 1]


def test_what_a_person_rejected_is_not_offered_again(world: World) -> None:
    world.put("4.txt", "Not wanted.")
    held_back(world, promote=False)
    by = Decider("decision", Owner.dag("reindex_handbook"), "mia@host", "not wanted")
    reject(world.services(), 2, by=by)
    assert "rejected by mia@host: not wanted" in held_back(world)["reason"]
    assert numbers(world) == [2, 1]


def test_under_a_hold_an_unchanged_bucket_makes_one_version_that_waits(world: World) -> None:
    hold(world.services(), reason="audit")
    world.put("4.txt", "New under the hold.")
    states = [held_back(world)["state"] for _ in range(3)]
    assert states == ["held", "held", "held"]
    assert numbers(world) == [2, 1]
    unhold(world.services())
    assert world.night()["state"] == "live"
    assert "New under the hold." in world.texts()
    world.consistent()


def test_a_night_after_a_hold_says_what_its_version_still_waits_for(world: World) -> None:
    hold(world.services(), reason="audit")
    world.model = "other"
    assert held_back(world)["state"] == "held"
    unhold(world.services())
    report = held_back(world)
    assert (report["version"], report["state"]) == (2, "waiting")
    assert "tonight makes the same: the embedding changed from memory to other" in report["reason"]
    assert read_versions(world.state)[0].reason.startswith("the embedding changed from memory to other")


@pytest.mark.parametrize("state", ["rejected", "waiting"])
def test_a_promotion_task_set_off_by_hand_promotes_nothing_undecided(world: World, state: str) -> None:
    if state == "rejected":
        spoil(world, "0.txt", "1.txt")
        held_back(world)
    else:
        hold(world.services(), reason="audit")
        world.put("4.txt", "New under the hold.")
        held_back(world)
        unhold(world.services())
    services = world.services()
    run = resume(services, f"night-{world.nights}")
    lease = Lease.acquire(world.state, run_id=run.run_id, owner=Owner.dag("reindex_handbook"), ttl_s=60)
    with pytest.raises(HeldBack, match=f"version 2 is {state}.*`nightjar promote handbook 2` decides otherwise"):
        promote(services, run, lease=lease)
    assert len(world.served()) == 4
    world.consistent()
