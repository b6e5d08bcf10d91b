from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from world import World

from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows.versions import read_live, read_version
from nightjar.lease import Lease
from nightjar.owner import Decider, Owner
from nightjar_dags.actions import Order
from nightjar_dags.operations import Done, carry_out, decider


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 2 is live, of thirty days; version 1 had twenty."""
    world = World(tmp_path)
    for days in ("twenty", "thirty"):
        world.put("leave.txt", f"People may take {days} days of leave.")
        world.night()
    return world


def by(run_id: str = "manual__1") -> Decider:
    return Decider(f"operate-{run_id}", Owner.one_run("operate_handbook", run_id), "mia", "asked for")


def order(action: str, *, version: int | None = None, documents: tuple[str, ...] = ()) -> Order:
    return Order(action=action, version=version, documents=documents, night=None, reason="asked for")


def ordered(world: World, action: str, **fields: Any) -> Done:
    return carry_out(world.services(), order(action, **fields), by=by())


def to_wait(world: World) -> None:
    world.put("travel.txt", "Trains are booked by the travel desk.")
    with pytest.raises(HeldBack):
        world.night(promote=False)


def test_a_rollback_serves_the_version_before_and_holds(world: World) -> None:
    done = ordered(world, "rollback")
    assert done.sentence == "version 1 is live again in Handbook_b0001, and on hold: asked for"
    assert world.texts() == {"People may take twenty days of leave."}
    assert done.live == read_live(world.state)


def test_a_hold_needs_no_lease(world: World) -> None:
    Lease.acquire(world.state, run_id="night-9", owner=Owner.dag("reindex_handbook"), ttl_s=60)
    assert ordered(world, "hold").sentence == "version 2 stays live until unhold"
    live = read_live(world.state)
    assert live is not None
    assert (live.held, live.held_reason, live.held_by) == (True, "asked for", "mia")


def test_a_hold_announces_nothing(world: World) -> None:
    assert ordered(world, "hold").live is None


def test_unhold_tells_what_waits(world: World) -> None:
    ordered(world, "hold")
    to_wait(world)
    assert ordered(world, "unhold").sentence == (
        "version 2 is live, and the next run may promote; version 3 waits (1 added, 0 changed, 0 removed): promote"
        " makes it live now"
    )


def test_a_version_that_waited_is_promoted_in_the_name_of_the_user(world: World) -> None:
    to_wait(world)
    done = ordered(world, "promote", version=3)
    assert done.sentence == "version 3 is live"
    assert done.live is not None
    assert read_version(world.state, 3).history[-1]["actor"] == "mia"


def test_a_version_whose_parent_is_no_longer_live_is_built_anew(world: World) -> None:
    to_wait(world)
    ordered(world, "rollback")
    done = ordered(world, "promote", version=3)
    assert done.sentence == "version 3 was built anew on the present documents: version 4 is live"
    assert done.live is not None
    assert done.live.version == 4


def test_a_version_that_the_live_one_equals_by_now_announces_nothing(world: World) -> None:
    to_wait(world)
    world.night()
    done = ordered(world, "promote", version=3)
    assert (done.sentence, done.live) == ("version 3 is abandoned; version 4 is live", None)


def test_a_rejected_version_announces_nothing(world: World) -> None:
    to_wait(world)
    done = ordered(world, "reject", version=3)
    assert (done.sentence, done.live) == ("version 3 is rejected; version 2 is live", None)


def test_a_replay_touches_named_documents_only(world: World) -> None:
    done = ordered(world, "replay", documents=("s3://documents/h/leave.txt",))
    assert done.sentence.startswith("tried again, ")


def test_a_replay_of_an_unknown_document_says_so(world: World) -> None:
    with pytest.raises(Misconfigured, match=r"nowhere\.txt"):
        ordered(world, "replay", documents=("s3://documents/h/nowhere.txt",))


def test_a_forgotten_document_leaves_at_once_and_the_log_says_what_is_out_of_reach(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.put("travel.txt", "Trains are booked by the travel desk.")
    world.night()
    with caplog.at_level(logging.WARNING):
        done = ordered(world, "forget", documents=("s3://documents/h/leave.txt",))
    assert done.sentence.endswith("from every version, collection, report and run")
    assert done.live is None
    assert world.texts() == {"Trains are booked by the travel desk."}
    assert "out of reach: the source object s3://documents/h/leave.txt" in caplog.text


@pytest.mark.parametrize("action", ["promote", "reject"])
def test_beside_a_night_it_is_told_who_runs_since_when(world: World, action: str) -> None:
    to_wait(world)
    Lease.acquire(world.state, run_id="night-9", owner=Owner.command(), ttl_s=60)
    with pytest.raises(HeldBack, match=r"run night-9 of cli .* has been running since \d{4}-"):
        ordered(world, action, version=3)


def test_two_runs_of_the_dag_do_not_take_the_lease_from_one_another(world: World) -> None:
    to_wait(world)
    other = by("manual__2")
    Lease.acquire(world.state, run_id=other.run_id, owner=other.owner, ttl_s=60)
    with pytest.raises(HeldBack, match="run operate-manual__2 of operate_handbook manual__2"):
        ordered(world, "promote", version=3)


def test_a_run_is_an_owner_of_its_own_and_has_its_own_records() -> None:
    context = {"run_id": "manual__1", "dag": SimpleNamespace(dag_id="operate_handbook")}
    made = decider(context, actor="mia", reason="why")
    assert (made.run_id, made.owner.name, made.owner.is_dag) == (
        "operate-manual__1",
        "operate_handbook manual__1",
        False,
    )
