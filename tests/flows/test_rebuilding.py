"""A manifest bucket is lost: the error says what helps, and it does; nothing that people find is lost with it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from world import Killed, Killer, World, handbook, roll_back

from nightjar.artifacts import MANIFESTS_PREFIX
from nightjar.errors import Misconfigured
from nightjar.flows.audit import Findings, audit, repair
from nightjar.flows.erasing import forget
from nightjar.flows.fence import holding
from nightjar.flows.manifests import LostBucket, load_manifest
from nightjar.flows.rollback import unhold
from nightjar.flows.sweeping import sweep
from nightjar.flows.versions import read_live, read_version, version_numbers
from nightjar.lease import Lease
from nightjar.model import CollectionName
from nightjar.owner import Owner

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
NAMES = tuple(f"{number:02}.txt" for number in range(24))
FIELDS = {"team": "text", "year": "int", "tags": "text[]", "until": "date", "draft": "bool"}


def world_of(folder: Path, strategy: str, *, nights: int = 1) -> World:
    """So many versions, one more document edited in each. One is broken, the others have fields and groups."""
    index = {"strategy": strategy, "keep_collections": 2}
    world = World(folder, handbook(index=index, metadata={"fields": FIELDS}))
    for name in NAMES:
        world.put(name, f"# {name}\n\nThis is what {name} has to say.")
        about = {
            "team": name[0],
            "year": 2024,
            "tags": ["a", "b"],
            "until": "2030-01-02",
            "draft": False,
            "acl": ["hr"],
        }
        world.source.put(f"h/{name}.metadata.json", json.dumps(about).encode())
    world.put("broken.txt", "%BAD bytes")
    for night in range(nights):
        world.put(NAMES[night], f"# {NAMES[night]}\n\nThis is what it says in night {night}.")
        world.night()
    return world


def buckets(world: World) -> tuple[str, ...]:
    live = read_live(world.state)
    assert live is not None
    return read_version(world.state, live.version).manifest


def truncate(world: World, key: str) -> None:
    stored = world.state.read(key)
    assert stored is not None
    world.state.write(key, stored.data[:-20])


def blank(world: World, key: str) -> None:
    world.state.write(key, b"")


def delete(world: World, key: str) -> None:
    world.state.delete([key])


LOSSES = pytest.mark.parametrize("lose", [truncate, blank, delete])


def mended(world: World, *, kill_at: int | None = None) -> Findings:
    world.nights += 1
    services = world.services()
    if kill_at is not None:
        steps = itertools.count()
        state, index = (Killer(door, steps, at=kill_at) for door in (world.state, world.index))
        services = world.services(state=state, index=index)  # type: ignore[arg-type]  # they hand on what they do not count
    return repair(services, run_id=f"audit-{world.nights}", owner=Owner.dag("audit_handbook"))


def erased(world: World) -> None:
    with leased(world) as lease:
        forget(world.services(), [f"h/{NAMES[9]}"], reason="", lease=lease, actor="mia")


def swept(world: World) -> None:
    with leased(world) as lease:
        sweep(world.services(), lease=lease, actor="mia")


@contextmanager
def leased(world: World) -> Iterator[Lease]:
    world.nights += 1
    owner = Owner.dag("operate_handbook")
    with holding(world.services(), run_id=f"by-hand-{world.nights}", owner=owner) as (_, lease):
        yield lease


def remade(world: World) -> list[str]:
    """Whatever was parsed, and texts of documents that were embedded."""
    texts = [text for text in world.embedder.embedded if ".txt" in text]
    return [*world.parser.parsed, *texts]


def watch(world: World) -> None:
    world.parser.parsed.clear()
    world.embedder.embedded.clear()


@BOTH
@LOSSES
def test_the_error_names_the_bucket_and_what_helps(
    tmp_path: Path, strategy: str, lose: Callable[[World, str], None]
) -> None:
    world = world_of(tmp_path, strategy)
    lose(world, buckets(world)[0])
    for step in (world.night, lambda: audit(world.services())):
        with pytest.raises(LostBucket, match=rf"{buckets(world)[0]} .*`nightjar audit --repair` makes it again"):
            step()


@BOTH
@LOSSES
@pytest.mark.parametrize("nights", [1, 3], ids=["nobody else knows its rows", "older versions know most"])
def test_a_repair_makes_it_again_and_the_next_nights_go_on(
    tmp_path: Path, strategy: str, lose: Callable[[World, str], None], nights: int
) -> None:
    world = world_of(tmp_path, strategy, nights=nights)
    served, number = world.served(), version_numbers(world.state)
    for place in range(0, len(buckets(world)), 4):
        lose(world, buckets(world)[place])
        found = mended(world)
        assert (found.ok, found.rebuilt > 0, found.given_up, found.repaired) == (True, True, (), 0)
        assert (world.served(), version_numbers(world.state)) == (served, number)
        world.consistent()
    watch(world)
    world.night()
    assert {name.removeprefix("h/") for name in remade(world)} <= {"broken.txt"}
    assert world.served() == served
    assert world.night()["state"] == "unchanged"
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    assert world.night()["documents"]["added"] == 1
    assert served.items() <= world.served().items()
    world.consistent()


@BOTH
def test_its_rows_are_what_they_were_but_for_what_was_attempted_last(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy)
    before = load_manifest(world.state, buckets(world)).sort_by("document_id").to_pylist()
    checkout = read_version(world.state, 1).checkout
    for key in buckets(world):
        truncate(world, key)
        mended(world)
    after = {row["document_id"]: row for row in load_manifest(world.state, buckets(world)).to_pylist()}
    attempts = {"etag", "size", "modified_us", "sidecar_etag", "sidecar_size", "sidecar_modified_us"}
    for row in before:
        if row["content_key"] is not None:
            told = after[row["document_id"]]
            differ = {name for name in row if row[name] != told[name]}
            assert differ <= attempts | {"sidecar", "object_metadata"}
    assert read_version(world.state, 1).checkout == checkout


@BOTH
def test_a_broken_document_of_it_is_in_quarantine_again_after_the_next_night(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy)
    for key in buckets(world):
        truncate(world, key)
        mended(world)
    world.night()
    rows = load_manifest(world.state, buckets(world)).to_pylist()
    assert [row["key"] for row in rows if row["failure_code"]] == ["h/broken.txt"]


@BOTH
def test_several_at_once(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy, nights=2)
    served = world.served()
    full = [key for key in buckets(world) if load_manifest(world.state, [key])["content_key"].null_count == 0]
    for key in full[:3]:
        truncate(world, key)
    assert mended(world).ok
    assert world.served() == served
    world.consistent()


@BOTH
def test_documents_that_keep_what_an_older_chunker_made_are_told_too(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy)
    world.configure(limits={"rebuild_share": 0.0})
    world.chunker = "2"
    world.put(NAMES[5], f"# {NAMES[5]}\n\nThis is new.")
    world.night()
    served = world.served()
    for key in [key for key in world.state.keys(MANIFESTS_PREFIX) if key not in buckets(world)]:
        world.state.delete([key])  # no other bucket knows the documents
    for key in buckets(world):
        if key in read_version(world.state, 2).manifest:
            truncate(world, key)
            mended(world)
    assert world.served() == served
    assert audit(world.services()).ok


@BOTH
def test_one_that_several_versions_share_is_made_again_for_all(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy, nights=1)
    first = world.served()
    world.put(NAMES[0], f"# {NAMES[0]}\n\nThis is what it says now.")
    world.night()
    [shared, *_] = set(read_version(world.state, 1).manifest) & set(buckets(world))
    truncate(world, shared)
    assert mended(world).given_up == ()
    roll_back(world, to=1)
    assert world.served() == first
    unhold(world.services())
    world.consistent()


@BOTH
def test_a_version_of_which_nothing_tells_any_more_is_given_up_and_blocks_nobody(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy, nights=3)
    served = world.served()
    own = set(read_version(world.state, 1).manifest)
    own -= {key for number in (2, 3) for key in read_version(world.state, number).manifest}
    truncate(world, own.pop())
    for step in (erased, swept):
        with pytest.raises(LostBucket):
            step(world)
    found = mended(world)
    assert (found.ok, found.rebuilt, found.given_up) == (True, 0, (1,))
    assert (version_numbers(world.state), world.served()) == ([2, 3], served)
    swept(world)
    erased(world)
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    assert world.night()["version"] == 4


@BOTH
def test_where_the_index_tells_otherwise_nothing_is_changed(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy)
    live = read_live(world.state)
    assert live is not None
    lost = buckets(world)[0]
    documents = load_manifest(world.state, [lost])["document_id"].to_pylist()
    name = CollectionName(live.collection)
    edited = next(world.index.of_documents(name, documents))
    world.index.write(name, [replace(edited, properties={**edited.properties, "title": "edited"})])
    truncate(world, lost)
    before = snapshot(world)
    with pytest.raises(Misconfigured, match=r"does not tell the rows .* restore it from a backup"):
        mended(world)
    assert snapshot(world) == before


def snapshot(world: World) -> dict[str, bytes]:
    found = {key: world.state.read(key) for key in world.state.keys("") if not key.startswith("lease")}
    return {key: stored.data for key, stored in found.items() if stored is not None}


@BOTH
def test_a_repair_killed_at_any_moment_is_finished_by_the_next(tmp_path: Path, strategy: str) -> None:
    start = world_of(tmp_path, strategy, nights=2)
    served = start.served()
    truncate(start, buckets(start)[0])
    own = set(read_version(start.state, 1).manifest) - set(buckets(start))
    if strategy == "in_place":
        truncate(start, own.pop())
    killed = 0
    for moment in itertools.count():
        world = start.twin()
        try:
            mended(world, kill_at=moment)
        except Killed:
            killed += 1
        else:
            break
        assert world.served() == served
        assert mended(world).ok
        assert world.served() == served
        world.night()
        world.consistent()
    assert killed > 5
