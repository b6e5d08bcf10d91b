"""A sweep takes what is old and needed by nobody, and nothing that a way back could need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kill_points import SWEEP as POINTS
from world import Killed, World, handbook

from nightjar.artifacts import LEASE, SWEEP, collection_key
from nightjar.cli.plan_command import draft_now
from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows.audit import audit
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return, hold, unhold
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.sweeping import Swept, sweep
from nightjar.flows.tidying import tidy
from nightjar.flows.versions import read_version, read_versions, version_numbers
from nightjar.lease import Lease
from nightjar.model import CollectionName, Violation
from nightjar.owner import Owner

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
OLD = timedelta(days=8)


def swept(world: World, *, services: Services | None = None, dry_run: bool = False) -> Swept:
    world.nights += 1
    services = services or world.services()
    owner = Owner.dag("audit_handbook")
    lease = Lease.acquire(services.state, run_id=f"gc-{world.nights}", owner=owner, ttl_s=60.0)
    try:
        return sweep(services, lease=lease, actor="somebody", dry_run=dry_run)
    finally:
        lease.release()


def nights(folder: Path, count: int = 4, *, keep: int = 2, strategy: str = "blue_green") -> World:
    """Each night changes one document, and each of its texts is told apart by the night."""
    world = World(folder, handbook(index={"strategy": strategy, "keep_versions": keep}))
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.put("broken.txt", "%BAD bytes")
    for night in range(count):
        world.put("leave.txt", f"# Leave\n\nEveryone has {night + 30} days of leave a year.")
        world.night()
    return world


def kept(world: World) -> Mapping[str, bytes]:
    return {key: data for key, data in world.state.objects.items() if key not in {LEASE, SWEEP}}


def returned(world: World, *, to: int) -> None:
    world.nights += 1
    services = world.services()
    ask_return(services, to=to, reason="")
    owner = Owner.dag("operate_handbook")
    lease = Lease.acquire(services.state, run_id=f"rollback-{world.nights}", owner=owner, ttl_s=60.0)
    tidy(services, actor="somebody", lease=lease)
    lease.release()


def test_nothing_within_a_week_goes(tmp_path: Path) -> None:
    world = nights(tmp_path)
    world.state.write("vectors/aa/bb/left.parquet", b"left")
    before = kept(world)
    assert sum(swept(world).objects.values()) == 0
    assert kept(world) == before


def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    world = nights(tmp_path)
    world.state.age(OLD)
    before, collections = {**kept(world)}, world.index.collections()
    told = swept(world, dry_run=True)
    assert (kept(world), world.index.collections()) == (before, collections)
    assert SWEEP not in world.state.objects
    assert sum(told.objects.values()) > 0
    assert swept(world) == replace(told, dry_run=False)
    assert len(before) - len(kept(world)) == sum(told.objects.values())


@BOTH
def test_after_a_sweep_one_can_go_back_to_the_oldest_version_kept(tmp_path: Path, strategy: str) -> None:
    world = nights(tmp_path, strategy=strategy)
    world.state.age(OLD)
    assert swept(world).versions == (1, 2)
    assert version_numbers(world.state) == [3, 4]
    assert audit(world.services()).ok
    world.parser.parsed.clear()
    world.embedder.embedded.clear()
    returned(world, to=3)
    assert "Leave\nEveryone has 32 days of leave a year." in world.texts()
    assert (world.parser.parsed, world.embedder.embedded) == ([], [])
    assert audit(world.services()).ok
    world.consistent()


def test_content_of_swept_versions_goes_and_shared_content_stays(tmp_path: Path) -> None:
    world = nights(tmp_path)
    rows = len([key for key in world.state.objects if key.startswith("vectors/")])
    world.state.age(OLD)
    told = swept(world)
    assert rows == 5
    assert (told.objects["vectors"], told.objects["elements"]) == (2, 2)
    assert world.night()["state"] == "unchanged"


@pytest.mark.parametrize(
    "key",
    [
        "vectors/aa/bb/x.parquet",
        "elements/aa/bb/x.parquet",
        "manifests/x.parquet",
        "withheld/x.parquet",
        "runs/r/p.json",
    ],
)
def test_what_crashed_runs_left_goes(tmp_path: Path, key: str) -> None:
    world = nights(tmp_path, 1)
    world.state.write(key, b"left")
    world.state.age(OLD)
    swept(world)
    assert key not in world.state.objects


@pytest.mark.parametrize("key", ["notes.txt", "backup/vectors/x.parquet", "erased.json.bak"])
def test_what_is_not_ours_stays(tmp_path: Path, key: str) -> None:
    world = nights(tmp_path, 1)
    world.state.write(key, b"somebody's")
    world.state.age(OLD)
    swept(world)
    assert key in world.state.objects


def test_a_run_one_of_whose_objects_is_young_stays_whole(tmp_path: Path) -> None:
    world = nights(tmp_path, 1)
    world.state.write("runs/slow/plan.json", b"{}")
    world.state.age(OLD)
    world.state.write("runs/slow/written.json", b"{}")
    swept(world)
    assert "runs/slow/plan.json" in world.state.objects


def test_a_kept_versions_run_can_still_be_told(tmp_path: Path) -> None:
    world = nights(tmp_path, 1)
    world.state.age(OLD)
    swept(world)
    assert {key for key in world.state.objects if key.startswith("runs/")} == {
        "runs/night-1/run.json", "runs/night-1/report.json",
    }  # fmt: skip


def test_a_version_whose_collection_stands_stays(tmp_path: Path) -> None:
    world = nights(tmp_path, 3, keep=1)
    assert len(world.index.collections()) == 2
    world.state.age(OLD)
    assert swept(world).versions == (1,)
    world.consistent()


def test_a_version_that_waits_stays_with_all_that_it_needs(tmp_path: Path) -> None:
    world = nights(tmp_path, 2, keep=1)
    hold(world.services(), reason="audit")
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    with pytest.raises(HeldBack):
        world.night()
    world.state.age(OLD)
    assert 3 not in swept(world).versions
    unhold(world.services())
    world.embedder.embedded.clear()
    assert world.night()["state"] == "live"
    assert world.embedder.embedded == []


def test_rejected_nights_do_not_push_out_what_one_can_go_back_to(tmp_path: Path) -> None:
    world = nights(tmp_path, 2, strategy="in_place")
    world.configure(quality={"max_rejected_share": 0, "allowance": 0})
    world.suites.objects_to = lambda suite, row: objecting(suite, row) if row.get("text_length", 0) > 40 else None
    for night in range(3):
        world.put("leave.txt", f"# Leave\n\nA dreadful night, number {night}, which nobody should see.")
        world.put("news.txt", f"# News\n\nNight {night}.")
        with pytest.raises(HeldBack, match="rejected"):
            world.night()
    world.state.age(OLD)
    assert swept(world).versions == (3,)
    assert [version.number for version in read_versions(world.state)] == [5, 4, 2, 1]


def objecting(suite: str, row: Mapping[str, Any]) -> Violation | None:
    return Violation(row["document_id"], "no", "", code="mojibake") if suite == "documents" else None


def test_what_was_parsed_of_a_quarantined_document_stays(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.suites.objects_to = lambda suite, row: objecting(suite, row) if row.get("text_length", 0) > 40 else None
    world.put("long.txt", "# Long\n\nA text that is longer than the rule of this house allows anybody to write.")
    world.night()
    parsed = {key for key in world.state.objects if key.startswith("elements/")}
    assert len(parsed) == 2
    world.state.age(OLD)
    swept(world)
    assert parsed <= world.state.objects.keys()


def test_a_number_is_never_given_twice(tmp_path: Path) -> None:
    world = nights(tmp_path, 3, strategy="in_place")
    world.put("leave.txt", "# Leave\n\nNobody saw this.")
    with pytest.raises(HeldBack):
        world.night(promote=False)
    swept(world)
    world.state.delete([key for key in world.state.objects if key.startswith("versions/000004/")])
    assert world.night()["version"] == 5


def test_a_plan_beside_is_unharmed(tmp_path: Path) -> None:
    world = nights(tmp_path)
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    before = draft_now(world.services(), Options()).plan
    world.state.age(OLD)
    swept(world)
    assert draft_now(world.services(), Options()).plan == before


def test_a_run_under_way_holds_a_sweep_back(tmp_path: Path) -> None:
    world = nights(tmp_path, 1)
    lease = Lease.acquire(world.state, run_id="night", owner=Owner.command(), ttl_s=60.0)
    with lease.beating(), pytest.raises(HeldBack):
        swept(world, dry_run=True)


def test_a_collection_without_a_record_is_told_and_left_alone(tmp_path: Path) -> None:
    world = nights(tmp_path, 1)
    schema = world.index.schema(world.index.collections()[0])
    for name in ("Handbook_b0099", "Handbook_backup", "Other_b0001"):
        world.index.create(CollectionName(name), schema)
    assert swept(world).orphans == ("Handbook_b0099",)
    assert "Handbook_b0099" in world.index.collections()


def test_the_record_of_a_collection_that_is_gone_goes(tmp_path: Path) -> None:
    world = nights(tmp_path, 2)
    world.index.drop(CollectionName("Handbook_b0001"))
    world.state.age(OLD)
    swept(world)
    assert collection_key("Handbook_b0001") not in world.state.objects
    assert collection_key("Handbook_b0002") in world.state.objects
    assert audit(world.services()).ok


def test_a_rollback_asked_for_while_the_sweep_chooses_is_not_robbed(tmp_path: Path) -> None:
    world = nights(tmp_path)
    world.state.age(OLD)

    def ask(passed: Point) -> None:
        if passed is Point.SWEEP_RECORDED:
            ask_return(world.services(), to=1, reason="")

    with pytest.raises(HeldBack, match="rollback to version 1"):
        swept(world, services=replace(world.services(), passing=ask))
    swept(world)
    assert "Leave\nEveryone has 30 days of leave a year." in world.texts()
    world.consistent()


def test_a_damaged_manifest_stops_the_sweep_before_it_deletes(tmp_path: Path) -> None:
    world = nights(tmp_path)
    world.state.write(read_version(world.state, 3).manifest[0], b"no table")
    world.state.age(OLD)
    before = kept(world)
    with pytest.raises(Misconfigured, match="damaged"):
        swept(world)
    assert kept(world) == before


@pytest.mark.parametrize("point", POINTS)
def test_a_sweep_killed_at_any_point_is_ended_by_the_next(tmp_path: Path, point: Point) -> None:
    calm, world = nights(tmp_path / "calm"), nights(tmp_path / "killed")
    for each in (calm, world):
        each.state.age(OLD)
    swept(calm)

    def die(passed: Point) -> None:
        if passed is point:
            raise Killed

    with pytest.raises(Killed):
        swept(world, services=replace(world.services(), passing=die))
    assert audit(world.services()).ok
    swept(world)
    assert kept(world).keys() == kept(calm).keys()
    world.consistent()
