"""A document that was forgotten is nowhere, stays away through nights and rollbacks, and takes nothing else with it."""

from __future__ import annotations

import io
import itertools
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kill_points import ERASURE
from world import Killed, Killer, World, handbook

from nightjar.artifacts import ACCESS, ERASED, to_parquet, version_key
from nightjar.errors import HeldBack, Misconfigured, Superseded
from nightjar.flows.audit import audit
from nightjar.flows.checkouts import checkouts, read_checkout
from nightjar.flows.erased import read_erased
from nightjar.flows.erasing import Forgotten, forget, lift
from nightjar.flows.manifests import load_manifest
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return, hold, unhold
from nightjar.flows.runs import Options, require_current, resume
from nightjar.flows.services import Services
from nightjar.flows.tidying import tidy
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import read_live, read_version, read_versions
from nightjar.lease import Lease
from nightjar.model import CollectionName, Violation, document_id_of
from nightjar.owner import Owner

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
SECRET = "s3://documents/h/people/wages-of-zoe.txt"
TEXT = "# Wages of Zoe\n\nZoebemonto earns ninety thousand a year, and nobody else may ever know about it."
MARKS = ("wages-of-zoe", "Zoebemonto", "ninety thousand", "Wages of Zoe")


def at_work(world: World, *, services: Services | None = None) -> tuple[Services, Lease]:
    world.nights += 1
    services = services or world.services()
    owner = Owner.dag("operate_handbook")
    return services, Lease.acquire(services.state, run_id=f"forget-{world.nights}", owner=owner, ttl_s=60.0)


def forgotten(world: World, *names: str, services: Services | None = None, reason: str = "asked by Zoe") -> Forgotten:
    services, lease = at_work(world, services=services)
    try:
        return forget(services, names or (SECRET,), reason=reason, lease=lease, actor="somebody")
    finally:
        lease.release()


def lifted(world: World, *names: str) -> tuple[str, ...]:
    services, lease = at_work(world)
    try:
        return lift(services, names or (SECRET,), lease=lease, actor="somebody else")
    finally:
        lease.release()


def returned(world: World, *, to: int) -> None:
    services, lease = at_work(world)
    lease.release()
    ask_return(services, to=to, reason="")
    services, lease = at_work(world)
    tidy(services, actor="somebody", lease=lease)
    lease.release()


def with_secret(folder: Path, strategy: str = "blue_green") -> World:
    """Three versions: the secret came with the first, changed with the second, and others came with the third."""
    return replace(_three_nights(strategy).twin(), folder=folder)


@cache
def _three_nights(strategy: str) -> World:
    world = World(Path(tempfile.mkdtemp()), handbook(index={"strategy": strategy}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("broken.txt", "%BAD bytes")
    world.put("people/wages-of-zoe.txt", TEXT)
    world.night()
    world.put("people/wages-of-zoe.txt", f"{TEXT}\n\n# Bonus\n\nZoebemonto had a bonus, too.")
    world.night()
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    return world


@cache
def said(data: bytes) -> str:
    """All words of an object, Parquet unpacked."""
    if data[:4] != b"PAR1":
        return data.decode()
    table = pq.read_table(io.BytesIO(data))
    return f"{table.to_pydict()} {table.schema.metadata}"


def mentions(world: World, marks: Iterable[str] = MARKS) -> list[str]:
    """State objects and collections that say one of the marks."""
    found = [key for key, data in world.state.objects.items() if any(mark in said(data) for mark in marks)]
    for name in world.index.collections():
        objects = [str(each.properties) for each in world.index.scan(name, vectors=False)]
        found += [name for each in objects if any(mark in each for mark in marks)]
    return found


def sound(world: World) -> None:
    """Audits are clean, and every collection is what its record says."""
    world.consistent()
    assert audit(world.services()).ok
    services = world.services()
    for entry in checkouts(services):
        version = read_version(world.state, entry.value.version)
        assert (entry.value.checkout, entry.value.manifest) == (version.checkout, version.manifest)
        assert world.index.count(CollectionName(entry.value.collection)) == version.counts["chunks"]


@BOTH
def test_nothing_but_the_source_says_a_word_of_it(tmp_path: Path, strategy: str) -> None:
    world = with_secret(tmp_path, strategy)
    assert len(mentions(world)) > 10
    told = forgotten(world)
    assert mentions(world) == []
    assert told.in_source == (SECRET,)
    assert told.removed.objects > 0
    assert world.source.exists("h/people/wages-of-zoe.txt")
    sound(world)


@BOTH
def test_everything_else_stays_as_it_was(tmp_path: Path, strategy: str) -> None:
    world = with_secret(tmp_path, strategy)
    kept = {i: o for i, o in world.served().items() if o[0]["source_uri"] != SECRET}
    forgotten(world)
    assert world.served() == kept
    assert len(kept) > 0
    assert [version.counts["documents"] for version in read_versions(world.state)] == [2, 1, 1]


@BOTH
def test_the_next_night_changes_nothing_and_refuses_its_return(tmp_path: Path, strategy: str) -> None:
    world = with_secret(tmp_path, strategy)
    forgotten(world)
    world.parser.parsed.clear()
    report = world.night()
    assert (report["state"], report["erased"], report["withheld"]["count"]) == ("unchanged", 1, 0)
    assert world.parser.parsed == []
    world.put("people/wages-of-zoe.txt", TEXT + " Again and again.")
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    report = world.night(full_refresh=True)
    assert (report["state"], report["documents"]["added"], report["documents"]["deleted"]) == ("live", 1, 0)
    assert mentions(world) == []
    sound(world)


@pytest.mark.parametrize("to", [1, 2])
@BOTH
def test_no_rollback_brings_it_back(tmp_path: Path, strategy: str, to: int) -> None:
    world = with_secret(tmp_path, strategy)
    forgotten(world)
    returned(world, to=to)
    live = read_live(world.state)
    assert live is not None
    assert live.version == to
    assert world.texts() == {"Leave\nEveryone has thirty days of leave a year."}
    assert mentions(world) == []
    sound(world)


@BOTH
def test_it_goes_at_once_under_a_hold(tmp_path: Path, strategy: str) -> None:
    world = with_secret(tmp_path, strategy)
    hold(world.services(), reason="audit")
    forgotten(world)
    live = read_live(world.state)
    assert live is not None
    assert live.held
    assert mentions(world) == []
    sound(world)


def test_it_leaves_a_version_that_waits_and_its_collection(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    hold(world.services(), reason="audit")
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    with pytest.raises(HeldBack):
        world.night()
    waiting = read_versions(world.state)[0]
    assert waiting.collection in world.index.collections()
    forgotten(world)
    assert mentions(world) == []
    sound(world)
    unhold(world.services())
    assert world.night()["state"] == "live"
    assert "New\nA bicycle for everyone." in world.texts()
    assert mentions(world) == []


def test_it_leaves_a_half_filled_collection(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    died = replace(world.services(), passing=dying_at(Point.FILLED))
    with pytest.raises(Killed):
        run_night(died, run_id="died", owner=Owner.dag("operate_handbook"), options=Options())
    forgotten(world)
    assert mentions(world) == []
    sound(world)


def test_a_copy_keeps_its_content_and_is_named(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.put("copy.txt", f"{TEXT}\n\n# Bonus\n\nZoebemonto had a bonus, too.")
    world.night()
    told = forgotten(world)
    assert told.copies == ("s3://documents/h/copy.txt",)
    assert any("copy.txt" in sentence for sentence in told.unreachable)
    assert {properties["source_uri"] for properties, _ in world.served().values() if "Zoebemonto" in properties["text"]}
    assert mentions(world, ["wages-of-zoe"]) == []
    sound(world)
    told = forgotten(world, "s3://documents/h/copy.txt")
    assert told.copies == ()
    assert mentions(world) == []


def test_two_copies_forgotten_together_leave_nothing(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.put("copy.txt", TEXT)
    world.night()
    forgotten(world, "copy.txt", "people/wages-of-zoe.txt")
    assert mentions(world) == []


def test_a_renamed_document_is_still_there_under_its_new_name(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.remove("people/wages-of-zoe.txt")
    world.put("moved.txt", f"{TEXT}\n\n# Bonus\n\nZoebemonto had a bonus, too.")
    world.night()
    assert forgotten(world).copies == ("s3://documents/h/moved.txt",)
    assert {p["source_uri"] for p, _ in world.served().values() if "Zoebemonto" in p["text"]} == {
        "s3://documents/h/moved.txt"
    }
    assert mentions(world, ["wages-of-zoe"]) == []
    sound(world)


def test_a_document_that_only_quarantine_knows_is_forgotten(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    forgotten(world, "s3://documents/h/broken.txt")
    assert mentions(world, ["broken.txt"]) == []
    sound(world)
    assert world.night()["state"] == "unchanged"


def test_what_was_parsed_of_a_refused_document_goes_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("people/wages-of-zoe.txt", TEXT)
    refuse_long(world)
    world.night()
    assert world.texts() == {"Leave\nEveryone has thirty days of leave a year."}
    world.state.delete([key for key in world.state.objects if key.startswith("runs/")])
    assert any(key.startswith("elements/") for key in mentions(world))
    forgotten(world)
    assert mentions(world) == []


def refuse_long(world: World) -> None:
    def objection(suite: str, row: Mapping[str, Any]) -> Violation | None:
        if suite == "documents" and row["text_length"] > 60:
            return Violation(row["document_id"], "long", "", code="boilerplate", reason="It is long.")
        return None

    world.suites.objects_to = objection


def test_a_document_is_forgotten_where_nothing_was_ever_live(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("people/wages-of-zoe.txt", "%BAD wages")
    with pytest.raises(HeldBack):
        world.night()
    assert read_live(world.state) is None
    forgotten(world)
    assert mentions(world) == []


def test_a_document_of_an_old_version_alone_is_forgotten_by_its_id(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.remove("people/wages-of-zoe.txt")
    world.night()
    told = forgotten(world, document_id_of(SECRET))
    assert told.in_source == ()
    assert mentions(world) == []
    sound(world)


@pytest.mark.parametrize("named", ["people/wages-of-zoe.txt", "h/people/wages-of-zoe.txt", SECRET])
def test_a_document_is_named_as_people_name_it(tmp_path: Path, named: str) -> None:
    world = with_secret(tmp_path)
    assert forgotten(world, named).documents == (document_id_of(SECRET),)


@pytest.mark.parametrize("named", ["s3://documents/h/nobody.txt", "6f0fb0a6-4a39-5a39-9a83-0a5d3b0c8b11", "s3://x/y"])
def test_an_unknown_document_is_refused_and_nothing_is_recorded(tmp_path: Path, named: str) -> None:
    world = with_secret(tmp_path)
    with pytest.raises(Misconfigured, match="no document"):
        forgotten(world, SECRET, named)
    assert ERASED not in world.state.objects
    assert len(mentions(world)) > 10


def test_the_record_keeps_who_and_why_and_no_name(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    forgotten(world)
    (record,) = json.loads(world.state.objects[ERASED])["documents"]
    assert record.keys() == {"document_id", "at", "actor", "reason", "finished_at"}
    assert (record["actor"], record["reason"]) == ("somebody", "asked by Zoe")


def test_a_document_may_be_refused_before_any_night_saw_it(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.put("people/ann.txt", "# Ann\n\nAnnamaria earns as much.")
    forgotten(world, "people/ann.txt")
    assert world.night()["state"] == "unchanged"
    assert mentions(world, ["Annamaria", "ann.txt"]) == []


def test_a_lift_lets_it_return_with_the_next_night(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    forgotten(world)
    assert lifted(world) == (document_id_of(SECRET),)
    report = world.night()
    assert (report["state"], report["documents"]["added"], report["erased"]) == ("live", 1, 0)
    assert any("Zoebemonto" in text for text in world.texts())
    sound(world)
    forgotten(world)
    assert mentions(world) == []


def test_only_what_was_erased_is_lifted(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    forgotten(world)
    with pytest.raises(Misconfigured, match="never erased"):
        lifted(world, SECRET, "s3://documents/h/leave.txt")
    assert world.night()["erased"] == 1


def test_replaying_an_erased_document_says_that_it_was_erased(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    forgotten(world)
    with pytest.raises(Misconfigured, match="was erased"):
        world.night(documents=(SECRET,))


def test_many_erased_documents_are_no_deletions_for_the_guard(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(deletions={"guard_count": 1, "guard_share": 0.01}))
    for number in range(20):
        world.put(f"{number}.txt", f"# Leave\n\nTeam {number} has thirty days of leave a year.")
    world.night()
    forgotten(world, *(f"{number}.txt" for number in range(12)))
    report = world.night()
    assert (report["state"], report["erased"], report["withheld"]["count"]) == ("unchanged", 12, 0)
    for number in range(12):
        world.remove(f"{number}.txt")
    report = world.night()
    assert (report["state"], report["erased"], report["withheld"]["count"]) == ("unchanged", 0, 0)


def test_it_leaves_the_access_table(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(metadata={"sidecar": True, "acl": ["everyone"]}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("people/wages-of-zoe.txt", TEXT)
    world.night()
    document = document_id_of(SECRET)
    assert mentions(world, [document])
    forgotten(world)
    assert set(mentions(world, [document])) == {ERASED}
    assert ACCESS in world.state.objects
    sound(world)


@BOTH
def test_it_leaves_the_reason_of_a_hold_which_stays(tmp_path: Path, strategy: str) -> None:
    world = with_secret(tmp_path, strategy)
    hold(world.services(), reason=f"look at {SECRET} first", actor="mia@host")
    forgotten(world)
    live = read_live(world.state)
    assert live is not None
    assert (live.held, live.held_by, live.held_reason) == (True, "mia@host", "look at (erased) first")
    assert mentions(world) == []
    sound(world)


def test_the_record_of_a_collection_that_is_gone_keeps_no_vector_and_no_chunk_of_it(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    live = read_live(world.state)
    assert live is not None
    before = read_checkout(world.state, live.collection)
    assert before is not None
    assert (len(before.value.probes), len(before.value.recent)) == (3, 3)
    world.index.lose(world.corpus.alias)
    forgotten(world)
    held = read_checkout(world.state, live.collection)
    assert held is not None
    assert (held.value.probes, held.value.recent) == ((), ())
    world.night()
    sound(world)


def test_it_says_that_the_questions_airflow_asked_are_out_of_reach(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    assert any("Required Actions" in sentence for sentence in forgotten(world).unreachable)


def test_it_leaves_the_lists_of_withheld_deletions(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(deletions={"guard_count": 1, "guard_share": 0.01}))
    world.put("people/wages-of-zoe.txt", TEXT)
    for number in range(5):
        world.put(f"{number}.txt", f"# Leave\n\nTeam {number} has thirty days of leave a year.")
    world.night()
    for name in ("people/wages-of-zoe.txt", "1.txt", "2.txt"):
        world.remove(name)
    world.night()
    assert any(key.startswith("withheld/") for key in mentions(world))
    forgotten(world)
    assert mentions(world) == []
    assert world.night()["withheld"]["count"] == 2


def test_reports_samples_and_pages_lose_it_and_keep_the_rest(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    report = {
        "verdict": "warn",
        "reason": f"2 documents moved, {SECRET} most",
        "moved": [{"uri": SECRET, "share": 0.4}, {"uri": "s3://documents/h/leave.txt", "share": 0.1}],
        "clusters": [
            {"lift": 3.0, "terms": ["leave"], "excerpts": ["Zoebemonto earns ninety thousand…", "thirty days"]}
        ],
        "by_document": {SECRET: 1, "s3://documents/h/leave.txt": 2},
    }
    world.state.write(version_key(3, "other.json"), json.dumps(report).encode())
    world.state.write(version_key(3, "other.html"), f"<p>{SECRET}</p>".encode())
    sample = {"document_id": [document_id_of(SECRET), "another"], "uri": [SECRET, "s3://documents/h/leave.txt"]}
    world.state.write(version_key(3, "sample.parquet"), to_parquet(pa.table({**sample, "text": [TEXT, "Leave"]})))
    forgotten(world)
    assert json.loads(world.state.objects[version_key(3, "other.json")]) == {
        "verdict": "warn",
        "reason": "2 documents moved, (erased) most",
        "moved": [{"uri": "s3://documents/h/leave.txt", "share": 0.1}],
        "clusters": [{"lift": 3.0, "terms": ["leave"], "excerpts": ["(erased)", "thirty days"]}],
        "by_document": {"s3://documents/h/leave.txt": 2},
    }
    assert version_key(3, "other.html") not in world.state.objects
    assert pq.read_table(io.BytesIO(world.state.objects[version_key(3, "sample.parquet")])).num_rows == 1


def test_a_drift_page_is_drawn_again_without_it(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(drift={"stops": "never"}))
    for number in range(40):
        world.put(f"{number}.txt", f"# Leave\n\nTeam {number} has thirty days of leave a year.")
    world.night()
    for number in range(20):
        world.put(f"{number}.txt", f"# Leave\n\nZoebemonto of team {number} earns ninety thousand a year.")
    world.night()
    page = world.state.objects[version_key(2, "drift.html")].decode()
    shown = next(number for number in range(20) if f"/h/{number}.txt" in page)
    forgotten(world, f"{shown}.txt")
    page = world.state.objects[version_key(2, "drift.html")].decode()
    assert f"/h/{shown}.txt" not in page
    assert "/h/" in page
    assert "<h1>" in page


def test_the_quality_page_is_drawn_again_without_it(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    assert "broken.txt" in said(world.state.objects[version_key(1, "quality.html")])
    forgotten(world, "broken.txt")
    page = said(world.state.objects[version_key(1, "quality.html")])
    assert "broken.txt" not in page
    assert "<h1>Quality" in page


def test_a_run_that_began_before_is_over(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    with pytest.raises(Killed):
        run_night(
            replace(world.services(), passing=dying_at(Point.EMBEDDED)),
            run_id="slow", owner=Owner.dag("operate_handbook"), options=Options(),
        )  # fmt: skip
    run = resume(world.services(), "slow")
    forgotten(world)
    with pytest.raises(Superseded, match="were erased since"):
        require_current(world.services(), run)


def test_what_was_refused_for_its_sake_alone_is_judged_anew_without_it(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(quality={"allowance": 0, "max_failed_documents": "5%"}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("people/wages-of-zoe.txt", TEXT)
    world.night()
    world.put("people/wages-of-zoe.txt", "%BAD wages")
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    with pytest.raises(HeldBack, match="rejected"):
        world.night()
    forgotten(world)
    assert world.night()["state"] == "live"
    assert "New\nA bicycle for everyone." in world.texts()
    sound(world)


def test_buckets_that_a_crashed_run_left_are_erased_too(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    rows = load_manifest(world.state, read_version(world.state, 1).manifest)
    world.state.write("manifests/left.parquet", to_parquet(rows))
    forgotten(world)
    assert "manifests/left.parquet" not in world.state.objects


def test_a_missing_manifest_is_named_before_anything_is_recorded(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    world.state.delete([read_version(world.state, 1).manifest[0]])
    with pytest.raises(Misconfigured, match="is missing from the state"):
        forgotten(world)
    assert ERASED not in world.state.objects
    assert world.night()["state"] == "unchanged"


def dying_at(point: Point) -> Any:
    def die(passed: Point) -> None:
        if passed is point:
            raise Killed

    return die


@pytest.mark.parametrize("then", ["night", "forget"])
@pytest.mark.parametrize("point", ERASURE)
@BOTH
def test_an_erasure_killed_at_any_point_is_ended_by_whoever_comes_next(
    tmp_path: Path, strategy: str, point: Point, then: str
) -> None:
    world = with_secret(tmp_path, strategy)
    with pytest.raises(Killed):
        forgotten(world, services=replace(world.services(), passing=dying_at(point)))
    if point is not Point.ERASED:
        with pytest.raises(HeldBack, match="being erased"):
            audit(world.services())
    if then == "night":
        assert world.night()["state"] == "unchanged"
    else:
        forgotten(world)
    assert mentions(world) == []
    sound(world)
    entry = read_erased(world.state)
    assert entry is not None
    assert [each.is_open for each in entry.value.values()] == [False]


@BOTH
def test_an_erasure_killed_at_any_moment_is_ended_by_the_next_night(tmp_path: Path, strategy: str) -> None:
    for moment in itertools.count():
        world = with_secret(tmp_path / str(moment), strategy)
        steps = itertools.count()
        dying = world.services(state=Killer(world.state, steps, at=moment), index=Killer(world.index, steps, at=moment))
        try:
            forgotten(world, services=dying)
        except Killed:
            pass
        else:
            break
        recorded = ERASED in world.state.objects
        assert world.night()["state"] == "unchanged", f"after a death at step {moment}"
        assert (mentions(world) == []) is recorded, f"after a death at step {moment}"
        sound(world)
    assert moment > 20


@pytest.mark.parametrize("point", ERASURE)
def test_a_rollback_asked_for_between_a_death_and_the_next_run_finds_nothing_of_it(
    tmp_path: Path, point: Point
) -> None:
    world = with_secret(tmp_path)
    with pytest.raises(Killed):
        forgotten(world, services=replace(world.services(), passing=dying_at(point)))
    returned(world, to=1)
    assert mentions(world) == []
    assert world.texts() == {"Leave\nEveryone has thirty days of leave a year."}
    sound(world)


def test_a_version_of_which_all_was_erased_is_served_again_empty(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("people/wages-of-zoe.txt", TEXT)
    world.night()
    forgotten(world)
    world.put("leave.txt", "Everyone has thirty days of leave.")
    world.night()
    returned(world, to=1)
    assert world.served() == {}
    unhold(world.services())
    assert world.night()["state"] == "live"
    sound(world)


def test_another_run_holds_an_erasure_back(tmp_path: Path) -> None:
    world = with_secret(tmp_path)
    lease = Lease.acquire(world.state, run_id="night", owner=Owner.command(), ttl_s=60.0)
    with lease.beating(), pytest.raises(HeldBack):
        forgotten(world)
    assert disagreement(world.services(), read_live(world.state)) is None
