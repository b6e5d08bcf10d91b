"""Who may read what: at once in every standing collection, whatever becomes of the night, and never given back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from world import Killed, World, handbook

from nightjar.adapters.memory.parser import MemoryParser
from nightjar.adapters.memory.source import MemorySource
from nightjar.artifacts import ACCESS
from nightjar.errors import BadDocument, HeldBack, Misconfigured, Transient
from nightjar.flows.audit import audit
from nightjar.flows.checkouts import checkouts, move_checkout
from nightjar.flows.night import report_of, run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return, hold
from nightjar.flows.runs import Options
from nightjar.flows.tidying import tidy
from nightjar.flows.versions import version_numbers
from nightjar.lease import Lease
from nightjar.model import CollectionName, Document, ParsedDocument
from nightjar.owner import Owner

pytestmark = pytest.mark.slow

STRATEGIES = ["blue_green", "in_place"]
LEAVE = "# Leave\n\nEveryone has thirty days of leave a year."


def grant(world: World, name: str, *groups: str) -> None:
    world.source.put(f"h/{name}.metadata.json", json.dumps({"acl": groups}).encode())


def readers(world: World, name: str = "leave.txt") -> dict[str, set[object]]:
    """Groups of a document's chunks, by standing collection; collections without it are left out."""
    found: dict[str, set[object]] = {}
    for collection in world.index.collections():
        for each in world.index.scan(CollectionName(collection), vectors=False):
            if str(each.properties["source_uri"]).endswith(name):
                found.setdefault(collection, set()).add(each.properties["acl"])
    return found


@pytest.fixture(params=STRATEGIES)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> World:
    """Two versions, the document's ACL the same in both; by blue_green a collection of each stands."""
    world = World(tmp_path, handbook(index={"strategy": request.param}))
    world.put("leave.txt", LEAVE)
    grant(world, "leave.txt", "hr", "interns")
    world.night()
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    grant(world, "travel.txt", "everyone")
    world.night()
    return world


def roll_back(world: World, *, to: int) -> None:
    world.nights += 1
    services = world.services()
    ask_return(services, to=to, reason="")
    lease = Lease.acquire(services.state, run_id="rollback", owner=Owner.dag("reindex_handbook"), ttl_s=60.0)
    tidy(services, actor="somebody", lease=lease)
    lease.release()


def closed(world: World) -> bool:
    return bool(readers(world)) and all(groups == {("hr",)} for groups in readers(world).values())


def test_a_narrower_acl_reaches_every_standing_collection_and_makes_no_version(world: World) -> None:
    before = {chunk: vector for chunk, (_, vector) in world.served().items()}
    grant(world, "leave.txt", "hr")
    report = world.night()
    assert closed(world)
    assert (report["state"], report["documents"]["access_changed"]) == ("unchanged", 1)
    assert version_numbers(world.state) == [1, 2]
    assert {chunk: vector for chunk, (_, vector) in world.served().items()} == before
    assert audit(world.services()).ok
    world.consistent()


def test_a_sidecar_that_changed_groups_alone_is_read_once(world: World) -> None:
    grant(world, "leave.txt", "hr")
    world.night()
    report = world.night()
    assert (report["documents"]["changed"], report["documents"]["access_changed"]) == (0, 0)


def test_it_holds_under_hold(world: World) -> None:
    hold(world.services(), reason="freeze")
    grant(world, "leave.txt", "hr")
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    with pytest.raises(HeldBack):
        world.night()
    assert closed(world)


def test_it_holds_where_the_gate_is_red(world: World) -> None:
    world.configure(quality={"max_failed_documents": 0.0, "allowance": 0})
    grant(world, "leave.txt", "hr")
    world.put("travel.txt", "%BAD")
    with pytest.raises(HeldBack, match="rejected"):
        world.night()
    assert closed(world)


def held(world: World) -> None:
    """A night whose new documents would cost more than the corpus file allows."""
    world.configure(limits={"tokens": 100})
    world.put("big.txt", "# Big\n\n" + "Every rule of this house is kept by all who live in it. " * 40)
    with pytest.raises(HeldBack, match="approval"):
        world.night()


class Away(MemoryParser):
    """A parser that does not answer."""

    def parse(
        self, documents: Iterable[tuple[Document, str]]
    ) -> Iterator[tuple[Document, ParsedDocument | BadDocument]]:
        raise Transient("the parser did not answer: try again")


def broken(world: World) -> None:
    """A night whose shard fails before it has read anything of its documents."""
    world.parser = Away()
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    with pytest.raises(Transient):
        world.night()


ENDINGS = pytest.mark.parametrize("ends", [held, broken], ids=["cost", "shard"])


@ENDINGS
def test_it_holds_where_the_night_ends_before_anything_is_made(world: World, ends: Callable[[World], None]) -> None:
    grant(world, "leave.txt", "hr")
    ends(world)
    assert closed(world)
    assert version_numbers(world.state) == [1, 2]
    world.consistent()


@ENDINGS
def test_it_holds_there_of_a_document_whose_bytes_changed_too(world: World, ends: Callable[[World], None]) -> None:
    before = world.texts()
    grant(world, "leave.txt", "hr")
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    ends(world)
    assert (closed(world), world.texts()) == (True, before)


@ENDINGS
def test_it_holds_there_of_groups_that_the_object_itself_names(world: World, ends: Callable[[World], None]) -> None:
    world.remove("leave.txt.metadata.json")
    world.source.put("h/leave.txt", LEAVE.encode(), metadata={"acl": "hr"})
    ends(world)
    assert closed(world)


@ENDINGS
def test_it_holds_there_of_groups_that_the_corpus_file_names(tmp_path: Path, ends: Callable[[World], None]) -> None:
    world = World(tmp_path, handbook(metadata={"acl": ["hr", "interns"]}))
    world.put("leave.txt", LEAVE)
    world.night()
    world.configure(metadata={"acl": ["hr"]})
    ends(world)
    assert closed(world)


def test_a_night_that_waits_for_approval_says_whose_groups_changed(world: World) -> None:
    grant(world, "leave.txt", "hr")
    held(world)
    report = report_of(world.services(), f"night-{world.nights}")
    assert report is not None
    assert (report["state"], report["documents"]["access_changed"]) == ("held", 1)


def test_groups_that_changed_in_a_night_that_waits_make_no_version_later(world: World) -> None:
    grant(world, "leave.txt", "hr")
    held(world)
    world.remove("big.txt")
    report = world.night()
    assert (report["state"], report["documents"]["access_changed"]) == ("unchanged", 0)
    assert audit(world.services()).ok


def test_a_sidecar_that_is_damaged_after_it_was_read_gives_nothing_back(world: World) -> None:
    grant(world, "leave.txt", "hr")
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))

    def damage(point: Point) -> None:
        if point is Point.ACCESS_RECORDED:
            world.source.put("h/leave.txt.metadata.json", b"{")

    world.nights += 1
    services = replace(world.services(), passing=damage)
    run_night(services, run_id="damaged", owner=Owner.dag("reindex_handbook"), options=Options())
    assert closed(world)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a source was asked for besides bytes, in order."""
    asked: list[str] = []
    for door in ("sidecar", "metadata"):
        real = getattr(MemorySource, door)

        def told(source: MemorySource, key: str, *, _real: Any = real, _door: str = door, **limits: int) -> Any:
            asked.append(f"{_door} {key}")
            return _real(source, key, **limits)

        monkeypatch.setattr(MemorySource, door, told)
    return asked


@pytest.mark.parametrize("edited", [False, True], ids=["the sidecar alone", "the document too"])
def test_a_changed_sidecar_is_read_once_a_night(world: World, asked: list[str], edited: bool) -> None:  # noqa: FBT001 - a parameter of the test
    grant(world, "leave.txt", "hr")
    if edited:
        world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    world.night()
    assert [door for door in asked if door.startswith("sidecar")] == ["sidecar h/leave.txt"]
    assert closed(world)


def test_the_fields_of_a_sidecar_that_was_read_once_are_served(tmp_path: Path, asked: list[str]) -> None:
    world = World(tmp_path, handbook(metadata={"fields": {"team": "text"}}))
    for team in ("hr", "people"):
        world.put("leave.txt", LEAVE)
        world.source.put("h/leave.txt.metadata.json", json.dumps({"team": team}).encode())
        world.night()
    assert {properties["team"] for properties, _ in world.served().values()} == {"people"}
    assert asked.count("sidecar h/leave.txt") == 2


def test_only_sidecars_and_objects_that_are_listed_otherwise_are_asked_for(world: World, asked: list[str]) -> None:
    world.night()
    assert asked == []
    grant(world, "leave.txt", "hr")
    world.put("travel.txt", "# Travel\n\nPlanes are for oceans.")
    held(world)
    assert sorted(asked) == ["metadata h/travel.txt", "sidecar h/leave.txt"]


@pytest.mark.parametrize("text", ["", "%BAD", " "], ids=["no bytes", "damaged", "blank"])
def test_it_holds_where_the_new_content_fails(world: World, text: str) -> None:
    world.put("leave.txt", text)
    grant(world, "leave.txt", "hr")
    with suppress(HeldBack):
        world.night()
    assert closed(world)


@pytest.fixture
def named_by_the_object(world: World) -> World:
    """A document whose groups stand in the object's own metadata."""
    world.source.put("h/pay.txt", b"# Pay\n\nWhat everyone here earns.", metadata={"acl": "everyone"})
    world.night()
    return world


@pytest.mark.parametrize("size", [0, 2000], ids=["no bytes", "too large"])
def test_groups_that_the_object_itself_names_hold_where_its_bytes_cannot_be_fetched(
    named_by_the_object: World, size: int
) -> None:
    world = named_by_the_object
    world.configure(source={"max_size": "1kB"})
    world.source.put("h/pay.txt", b"x" * size, metadata={"acl": "hr"})
    world.night()
    assert {groups for each in readers(world, "pay.txt").values() for groups in each} == {("hr",)}


def test_an_object_whose_metadata_cannot_be_read_keeps_the_groups_that_hold(
    named_by_the_object: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = named_by_the_object
    hold(world.services(), reason="freeze")
    world.source.put("h/pay.txt", b"", metadata={"acl": "hr"})
    with suppress(HeldBack):
        world.night()
    monkeypatch.setattr(MemorySource, "metadata", lambda *_: None)
    world.source.put("h/pay.txt", b"", metadata={"acl": "hr"})
    with suppress(HeldBack):
        world.night()
    world.configure(metadata={"acl": ["staff"]})
    with suppress(HeldBack):
        world.night()
    assert {groups for each in readers(world, "pay.txt").values() for groups in each} == {("hr",)}


def test_its_sidecar_holds_all_the_same(named_by_the_object: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = named_by_the_object
    monkeypatch.setattr(MemorySource, "metadata", lambda *_: None)
    world.source.put("h/pay.txt", b"", metadata={"acl": "everyone"})
    grant(world, "pay.txt", "hr")
    world.night()
    assert {groups for each in readers(world, "pay.txt").values() for groups in each} == {("hr",)}


def test_a_sidecar_beside_a_document_that_cannot_be_fetched_opens_nothing(named_by_the_object: World) -> None:
    world = named_by_the_object
    world.source.put("h/pay.txt", b"", metadata={"acl": "hr"})
    world.night()
    world.put("pay.txt.metadata.json", "{}")
    world.night()
    assert {groups for each in readers(world, "pay.txt").values() for groups in each} == {("hr",)}


def test_a_rollback_never_gives_access_back(world: World) -> None:
    grant(world, "leave.txt", "hr")
    world.night()
    roll_back(world, to=1)
    assert closed(world)
    world.consistent()


def test_nor_does_a_rollback_that_must_fill_a_collection_anew(world: World) -> None:
    grant(world, "leave.txt", "hr")
    world.put("leave.txt", LEAVE.replace("thirty", "forty"))
    world.night()
    live = world.index.alias(world.corpus.alias)
    for name in world.index.collections():
        if name != live:
            world.index.drop(name)
    roll_back(world, to=1)
    assert closed(world)


def test_an_unreadable_sidecar_keeps_the_groups_that_hold_after_a_rollback(world: World) -> None:
    grant(world, "leave.txt", "hr")
    world.night()
    roll_back(world, to=1)
    world.source.put("h/leave.txt.metadata.json", b"{")
    with suppress(HeldBack):
        world.night()
    assert closed(world)


def test_once_a_document_declares_groups_those_without_are_withheld_in_every_collection(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("leave.txt", LEAVE)
    world.night()
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    world.night()
    assert {groups for each in readers(world).values() for groups in each} == {None}
    grant(world, "new.txt", "hr")
    world.night()
    assert {groups for each in readers(world).values() for groups in each} == {()}


def test_a_default_that_changes_in_the_corpus_file_holds_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(metadata={"acl": ["everyone"]}))
    world.put("leave.txt", LEAVE)
    world.night()
    world.corpus = handbook(metadata={"acl": ["hr"]})
    world.night()
    assert closed(world)


def test_older_state_is_taken_over(world: World) -> None:
    for entry in checkouts(world.services()):
        move_checkout(world.state, entry, replace(entry.value, access=0))
    del world.state.objects[ACCESS]
    grant(world, "leave.txt", "hr")
    world.night()
    assert closed(world)


def test_a_damaged_table_is_named(world: World) -> None:
    world.state.objects[ACCESS] = b"no table"
    with pytest.raises(Misconfigured, match=ACCESS):
        world.night()


def test_a_missing_table_is_not_guessed_where_collections_were_written_by_it(world: World) -> None:
    grant(world, "leave.txt", "hr")
    world.night()
    del world.state.objects[ACCESS]
    with pytest.raises(Misconfigured, match=f"{ACCESS} is missing"):
        world.night()


def test_an_audit_waits_while_groups_are_spread(world: World) -> None:
    grant(world, "leave.txt", "hr")
    audits: list[str] = []

    def passing(point: Point) -> None:
        if point is Point.ACCESS_RECORDED and not audits:
            with pytest.raises(HeldBack, match="is being changed: audit again"):
                audit(world.services())
            audits.append(point.name)

    services = replace(world.services(), passing=passing)
    run_night(services, run_id="narrows", owner=Owner.dag("reindex_handbook"), options=Options())
    assert audits
    assert audit(world.services()).ok


def test_killed_at_any_moment_before_the_night_waits_the_next_run_closes_it(tmp_path: Path) -> None:
    start = World(tmp_path, handbook(limits={"tokens": 30}))
    start.put("leave.txt", LEAVE)
    grant(start, "leave.txt", "hr", "interns")
    start.night()
    grant(start, "leave.txt", "hr")
    start.put("big.txt", "# Big\n\n" + "Every rule of this house is kept by all who live in it. " * 40)
    for moment in range(100):
        world = start.twin()
        try:
            world.night(kill_at=moment)
        except HeldBack:
            assert moment > 5
            return
        except Killed:
            with pytest.raises(HeldBack, match="approval"):
                world.night()
            assert closed(world), moment
    pytest.fail("the night never ended")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("narrower_alone", [True, False], ids=["alone", "with new content"])
def test_killed_at_any_moment_the_next_run_leaves_nobody_with_access(
    tmp_path: Path, strategy: str, *, narrower_alone: bool
) -> None:
    start = World(tmp_path, handbook(index={"strategy": strategy}))
    start.put("leave.txt", LEAVE)
    grant(start, "leave.txt", "hr", "interns")
    start.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    grant(start, "travel.txt", "everyone")
    start.night()
    grant(start, "leave.txt", "hr")
    if not narrower_alone:
        start.put("leave.txt", LEAVE.replace("thirty", "forty"))
    for moment in range(400):
        world = start.twin()
        try:
            world.night(kill_at=moment)
        except Killed:
            world.night()
            assert closed(world), moment
            world.consistent()
        else:
            assert moment > 5
            return
    pytest.fail("the night never ended")
