from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from dags_of import corpus_of
from world import World

from nightjar.errors import Misconfigured, Transient
from nightjar.flows.audit import Findings
from nightjar.flows.versions import read_version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName
from nightjar.owner import Owner
from nightjar_dags.audit import audit_dag, form
from nightjar_dags.auditing import found_in, judged, swept_in

OWNER = Owner.one_run("audit_handbook", "manual__1")


@pytest.fixture
def dag(tmp_path: Path) -> DAG:
    return audit_dag(corpus_of(tmp_path, owner="data-platform", tags=["hr"], timezone="Europe/Berlin"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    for name in ("leave", "travel"):
        world.put(f"{name}.txt", f"This is the rule about {name}.")
    world.night()
    return world


def lose_one(world: World) -> None:
    world.index.delete(CollectionName("Handbook_b0001"), [ChunkId(next(iter(world.served())))])


def audited(world: World, *, mend: bool = False) -> Findings:
    return found_in(world.services(), run_id="audit-manual__1", owner=OWNER, mend=mend)


def test_it_audits_and_then_sweeps_by_itself(dag: DAG) -> None:
    assert (sorted(dag.task_ids), dag.catchup, dag.max_active_runs) == (["audit", "sweep"], False, 1)
    assert dag.get_task("sweep").upstream_task_ids == {"audit"}


def test_a_sweep_leaves_what_is_younger_than_a_week(world: World) -> None:
    world.configure(index={"keep_versions": 1})
    world.put("leave.txt", "This is another rule about leave.")
    world.night()
    swept = swept_in(world.services(), run_id="sweep-manual__1", owner=OWNER)
    assert (sum(swept.objects.values()), swept.dry_run) == (0, False)  # nothing is a week old
    assert audited(world).ok


def test_a_sweep_waits_for_a_run_under_way(world: World) -> None:
    Lease.acquire(world.state, run_id="night-9", owner=Owner.command(), ttl_s=60)
    with pytest.raises(Transient, match="has been running since"):
        swept_in(world.services(), run_id="sweep-manual__1", owner=OWNER)


def test_it_carries_its_owner_and_tags(dag: DAG) -> None:
    assert {task.owner for task in dag.tasks} == {"data-platform"}
    assert dag.tags == {"nightjar", "hr"}


def test_the_manual_explains_its_form(dag: DAG) -> None:
    assert "\n## The audit\n" in dag.doc_md
    assert all(f"- **{param.schema['title']}** (`{name}`): " in dag.doc_md for name, param in form().items())


def test_it_repairs_only_when_asked() -> None:
    assert {name: param.resolve() for name, param in form().items()} == {"repair": False}


def test_airflow_can_store_it(dag: DAG, tmp_path: Path) -> None:
    stored: dict[str, Any] = DagSerialization.to_dict(dag)
    assert DagSerialization.from_dict(stored).dag_id == "audit_handbook"
    first, second = (DagSerialization.to_dict(audit_dag(corpus_of(tmp_path))) for _ in range(2))
    assert first == second


def test_a_sound_index_is_said_to_be_one(world: World) -> None:
    assert judged("handbook", audited(world)) == "version 1 is what its manifest says"


def test_a_lost_object_is_red_with_the_counts(world: World) -> None:
    lose_one(world)
    with pytest.raises(
        Misconfigured,
        match=r"^version 1 differs from its manifest: 1 missing, 0 orphan, 0 wrong vector, 0 wrong properties; trigger"
        r" audit_handbook with repair",
    ):
        judged("handbook", audited(world))


def test_ids_of_what_differs_are_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    lose_one(world)
    found = audited(world)
    with caplog.at_level(logging.WARNING), pytest.raises(Misconfigured):
        judged("handbook", found)
    assert caplog.messages[-1] == f"handbook missing: {found.missing[0]}"


def test_a_collection_that_is_gone_is_told(world: World) -> None:
    world.index.lose("Handbook")
    with pytest.raises(Misconfigured, match=r"2 missing, .*, collection Handbook_b0001 is gone"):
        judged("handbook", audited(world))


def test_a_repaired_index_is_sound_again(world: World) -> None:
    lose_one(world)
    found = audited(world, mend=True)
    assert judged("handbook", found) == "version 1 is what its manifest says; 1 object was mended"
    assert len(world.served()) == 2


def test_a_lost_bucket_is_made_again(world: World) -> None:
    world.state.delete([read_version(world.state, 1).manifest[0]])
    with pytest.raises(Misconfigured, match="is missing from the state"):
        audited(world)
    assert judged("handbook", audited(world, mend=True)) == (
        "version 1 is what its manifest says; manifest rows of 1 document were made again"
    )


def test_versions_that_are_given_up_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        judged("handbook", Findings(3, given_up=(1,)))
    assert caplog.messages[-1].startswith("handbook: version 1 is given up")


def test_a_repair_beside_a_run_is_tried_again(world: World) -> None:
    Lease.acquire(world.state, run_id="night-9", owner=Owner.command(), ttl_s=60)
    with pytest.raises(Transient, match="run night-9 of cli"):
        audited(world, mend=True)
