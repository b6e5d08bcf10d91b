"""Deletions that look like an accident wait, with their dates; approval binds to what was shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from world import Killed, World, handbook

from nightjar.errors import Misconfigured
from nightjar.flows.deletions import read_withheld, withheld_digest
from nightjar.flows.manifests import load_manifest
from nightjar.flows.planning import Draft, draft
from nightjar.flows.runs import Options
from nightjar.flows.versions import read_live, read_version

pytestmark = pytest.mark.slow

NAMES = tuple(f"{number:02}.txt" for number in range(20))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Twenty documents are live."""
    world = World(tmp_path)
    for name in NAMES:
        put(world, name)
    world.night()
    return world


def put(world: World, name: str) -> None:
    world.put(name, f"# Document {name}\n\nThis is what {name} has to say.")


def named(world: World) -> set[str]:
    """Names of the documents that people find."""
    return {str(properties["source_uri"]).rpartition("/")[2] for properties, _ in world.served().values()}


def remembered(world: World) -> dict[str, str]:
    """Name of each document on the list of withheld deletions, and the day it was first missed."""
    rows = read_withheld(world.state).to_pylist()
    return {row["uri"].rpartition("/")[2]: row["first_missed"][:10] for row in rows}


def planned(world: World, **options: Any) -> Draft:
    services = world.services()
    live = read_live(world.state)
    assert live is not None
    base: pa.Table = load_manifest(world.state, read_version(world.state, live.version).manifest)
    asked = Options(**options)
    return draft(services, live=live, base=base, recipe=services.recipe(), options=asked, distrusted=None)


def test_too_many_deletions_are_withheld_and_additions_go_on(world: World) -> None:
    world.remove(*NAMES[:11])
    put(world, "new.txt")
    report = world.night()
    assert report["state"] == "live"
    assert (report["documents"]["deleted"], report["documents"]["added"]) == (0, 1)
    assert named(world) == {*NAMES, "new.txt"}


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_lost_vectors_of_a_withheld_document_are_made_again_without_its_object(world: World, strategy: str) -> None:
    world.configure(index={"strategy": strategy})
    world.remove(*NAMES[:11])
    world.night()
    world.state.delete([key for key in world.state.objects if key.startswith("vectors/")])
    put(world, "new.txt")
    report = world.night()
    assert (report["state"], report["documents"]["unchanged"]) == ("live", 9)
    assert named(world) == {*NAMES, "new.txt"}
    world.consistent()


def test_the_report_shows_what_is_withheld_with_its_date(world: World) -> None:
    world.remove(*NAMES[:11])
    report = world.night()
    assert "11 of 20 documents are gone, more than 10%: 11 deletions are withheld" in report["reason"]
    assert report["withheld"]["count"] == 11
    first = report["withheld"]["documents"][0]
    assert first["source_uri"] == "s3://documents/h/00.txt"
    assert first["first_missed"].startswith("2026-01-03")


def test_dates_stay_and_what_is_missed_later_has_its_own(world: World) -> None:
    world.remove(*NAMES[:11])
    world.night()
    world.remove(NAMES[11])
    world.night()
    dates = remembered(world)
    assert (dates[NAMES[0]], dates[NAMES[11]], len(dates)) == ("2026-01-03", "2026-01-04", 12)


def test_a_document_that_comes_back_leaves_the_list(world: World) -> None:
    world.remove(*NAMES[:12])
    world.night()
    put(world, NAMES[0])
    world.night()
    assert set(remembered(world)) == set(NAMES[1:12])


def test_a_plan_writes_no_list(world: World) -> None:
    world.remove(*NAMES[:11])
    assert planned(world).withheld.num_rows == 11
    assert remembered(world) == {}


def test_approval_deletes_what_was_withheld(world: World) -> None:
    world.remove(*NAMES[:11])
    world.night()
    report = world.night(approve_deletions=True)
    assert report["documents"]["deleted"] == 11
    assert named(world) == set(NAMES[11:])


def test_the_list_is_empty_once_its_deletions_are_live(world: World) -> None:
    world.remove(*NAMES[:11])
    world.night()
    world.night(approve_deletions=True)
    assert world.night()["withheld"]["count"] == 0
    assert remembered(world) == {}


def test_approval_does_not_reach_what_went_missing_since(world: World) -> None:
    for number in range(40):
        put(world, f"more-{number:02}.txt")
    world.night()
    world.remove(*NAMES)
    world.night()
    world.remove(*(f"more-{number:02}.txt" for number in range(12)))
    report = world.night(approve_deletions=True)
    assert report["documents"]["deleted"] == 20
    assert set(remembered(world)) >= {f"more-{number:02}.txt" for number in range(12)}
    assert report["withheld"]["count"] == 12


def test_approval_of_what_nobody_was_shown_binds_to_tonight(world: World) -> None:
    world.remove(*NAMES[:11])
    assert world.night(approve_deletions=True)["documents"]["deleted"] == 11


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_approval_can_let_all_documents_go(tmp_path: Path, strategy: str) -> None:
    world = World(tmp_path, handbook(index={"strategy": strategy}))
    world.put("leave.txt", "Thirty days of leave.")
    world.night()
    world.remove("leave.txt")
    assert world.night()["withheld"]["count"] == 1
    assert world.night(approve_deletions=True)["documents"]["deleted"] == 1
    assert world.served() == {}
    assert world.night()["state"] == "unchanged"


MORE = tuple(f"more-{number:02}.txt" for number in range(40))


def test_an_approval_is_bound_to_the_list_that_was_shown_however_it_grew(world: World) -> None:
    for name in MORE:
        put(world, name)
    world.night()
    world.remove(*NAMES)
    world.night()
    shown = withheld_digest(world.state)
    world.remove(*MORE[:12])
    world.night()
    report = world.night(approve_deletions=True, approved_list=shown)
    assert (report["documents"]["deleted"], report["withheld"]["count"]) == (20, 12)
    assert named(world) == set(MORE)


def test_an_approved_list_binds_where_nothing_is_withheld_any_more(world: World) -> None:
    world.remove(*NAMES[:11])
    world.night()
    shown = withheld_digest(world.state)
    for name in (*NAMES[:11], *MORE):
        put(world, name)
    world.night()
    world.remove(*NAMES[:3], *MORE[:12])
    report = world.night(approve_deletions=True, approved_list=shown)
    assert (report["documents"]["deleted"], report["withheld"]["count"]) == (3, 12)


def test_an_approved_list_that_is_gone_says_so(world: World) -> None:
    with pytest.raises(Misconfigured, match="is missing: approve the list of withheld deletions that stands now"):
        world.night(approve_deletions=True, approved_list="0" * 64)


def test_a_list_alone_approves_nothing(world: World) -> None:
    world.remove(*NAMES[:11])
    world.night()
    report = world.night(approved_list=withheld_digest(world.state))
    assert (report["documents"]["deleted"], report["withheld"]["count"]) == (0, 11)


def test_deletions_after_an_approval_are_counted_anew(world: World) -> None:
    world.remove(*NAMES[:11])
    world.night(approve_deletions=True)
    world.remove(NAMES[11])
    assert world.night()["documents"]["deleted"] == 1


def test_a_slow_drip_passes(world: World) -> None:
    for day in range(10):
        world.remove(NAMES[day])
        assert world.night()["documents"]["deleted"] == 1
    world.remove(NAMES[10])
    report = world.night()
    assert report["documents"]["deleted"] == 1  # the first of the eleven is older than seven days


def test_eleven_within_seven_days_are_one_too_many(world: World) -> None:
    for day in range(5):
        world.remove(*NAMES[2 * day : 2 * day + 2])
        world.night()
    world.remove(NAMES[10])
    report = world.night()
    assert report["documents"]["deleted"] == 0
    assert "11 of 20 documents are gone within seven days" in report["reason"]


def test_a_moved_folder_is_no_deletion(world: World) -> None:
    for name in NAMES:
        world.source.put(f"h/moved/{name}", f"# Document {name}\n\nThis is what {name} has to say.".encode())
        world.remove(name)
    report = world.night()
    assert {k: v for k, v in report["documents"].items() if v} == {"renamed": 20}
    assert len(world.served()) == 20


def test_renames_go_on_while_deletions_are_withheld(world: World) -> None:
    world.remove(*NAMES[:11])
    world.source.put("h/moved.txt", f"# Document {NAMES[19]}\n\nThis is what {NAMES[19]} has to say.".encode())
    world.remove(NAMES[19])
    report = world.night()
    assert (report["documents"]["renamed"], report["withheld"]["count"]) == (1, 11)
    assert named(world) == {*NAMES[:19], "moved.txt"}


def test_another_source_withholds_what_lies_outside(world: World) -> None:
    for name in NAMES[:10]:
        world.source.put(f"other/{name}", f"# Moved {name}\n\nThis is new in {name}.".encode())
    world.configure(source={"uri": "s3://documents/other/"})
    world.source.prefix = "other/"
    report = world.night()
    assert "20 documents lie outside source.uri" in report["reason"]
    assert (report["documents"]["added"], len(world.served())) == (10, 30)


def test_what_lies_outside_of_another_source_goes_when_approved(world: World) -> None:
    world.source.put("other/new.txt", b"# New\n\nFrom elsewhere.")
    world.configure(source={"uri": "s3://documents/other/"})
    world.source.prefix = "other/"
    world.night()
    world.night(approve_deletions=True)
    assert named(world) == {"new.txt"}


def test_an_excluded_document_leaves_the_index_though_its_object_stands(world: World) -> None:
    world.configure(source={"exclude": ["00.txt"]})
    assert world.night()["documents"]["deleted"] == 1
    assert named(world) == set(NAMES[1:])


def test_a_listing_that_forgets_a_standing_object_deletes_nothing(world: World) -> None:
    class Forgetful(type(world.source)):  # type: ignore[misc]
        def listing(self) -> Any:
            for page in super().listing():
                yield page.slice(1)

    world.source = Forgetful("documents", "h/", 1000, [], world.source._objects, world.source._now_us)
    assert world.night()["state"] == "unchanged"


def test_a_run_that_dies_at_any_moment_keeps_approval_and_dates(tmp_path: Path) -> None:
    start = World(tmp_path)
    for name in NAMES:
        put(start, name)
    start.night()
    start.remove(*NAMES[:11])
    start.night()
    moment = 0
    while True:
        world = start.twin()
        try:
            world.night(kill_at=moment, approve_deletions=True)
        except Killed:
            world.night(approve_deletions=True)
            assert named(world) == set(NAMES[11:]), f"after a death at step {moment}"
        else:
            break
        moment += 4
    assert moment > 20
