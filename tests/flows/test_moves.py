"""Documents that stand under another key: what people find of them goes when the new key has content, not before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from world import World, handbook

from nightjar.adapters.memory.source import MemorySource
from nightjar.cli.plan_command import draft_now
from nightjar.errors import BadDocument, Code, HeldBack
from nightjar.flows.runs import Options
from nightjar.flows.versions import read_versions
from nightjar.model import Document, SourceObject
from nightjar.stages.states import State

FOLDER = tuple(f"{number:02}.txt" for number in range(12))


class Locked(MemorySource):
    """A bucket in which nobody may read some keys."""

    locked: tuple[str, ...] = ()

    def fetch(self, wanted: SourceObject, *, into: Path, max_bytes: int) -> Document:
        if wanted.key in self.locked:
            raise BadDocument(wanted.document_id, Code.UNREADABLE, "access denied")
        return super().fetch(wanted, into=into, max_bytes=max_bytes)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """More documents are live than the deletion guard would let go, each in a folder of its team."""
    corpus = handbook(metadata={"fields": {"team": "text"}, "from_path": "{team}/**"}, embed={"switch": "automatic"})
    world = World(tmp_path, corpus, source=Locked("documents", "h/"))
    for name in FOLDER:
        world.put(f"hr/{name}", text(name))
    world.put("ops/stays.txt", text("stays.txt"))
    world.night()
    return world


def text(name: str) -> str:
    return f"# Document {name}\n\nThis is what {name} has to say."


def lock(world: World, *names: str) -> None:
    world.source.locked = tuple(f"h/{name}" for name in names)  # type: ignore[attr-defined]  # a `Locked`


def move(world: World, name: str, to: str) -> None:
    kept = world.source._objects[f"h/{name}"].data
    world.remove(name)
    world.put(to, kept.decode())


def move_and_fail(world: World, names: Iterable[str] = FOLDER[:1]) -> None:
    """These now stand under `people/`, where nobody may read them."""
    for name in names:
        move(world, f"hr/{name}", f"people/{name}")
    lock(world, *(f"people/{name}" for name in names))


def served(world: World, name: str) -> set[str]:
    """Folders in which people find this document."""
    found = {str(properties["source_uri"]) for properties, _ in world.served().values()}
    return {uri.split("/")[-2] for uri in found if uri.endswith(f"/{name}")}


def told(documents: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in documents.items() if count and name != "unchanged"}


def test_a_document_whose_new_key_fails_is_found_under_its_old_one(world: World) -> None:
    move_and_fail(world)
    report = world.night()
    assert (served(world, FOLDER[0]), told(report["documents"])) == ({"hr"}, {"added": 1, "quarantined": 1})
    world.consistent()


def test_it_stays_for_as_long_as_its_new_key_fails(world: World) -> None:
    move_and_fail(world)
    for _ in range(3):
        assert told(world.night()["documents"]).keys() <= {"added", "quarantined"}
    assert served(world, FOLDER[0]) == {"hr"}


def test_it_is_renamed_once_its_new_key_is_read(world: World) -> None:
    move_and_fail(world)
    world.night()
    lock(world)
    report = world.night()
    assert (served(world, FOLDER[0]), told(report["documents"])) == ({"people"}, {"renamed": 1})
    world.consistent()


def test_a_folder_that_could_not_be_read_when_it_moved_is_no_flood_of_deletions(world: World) -> None:
    move_and_fail(world, FOLDER)
    world.night()
    lock(world)
    made = draft_now(world.services(), Options()).plan
    assert (made.added, made.renamed, made.deleted, made.withheld) == (0, 12, 0, 0)
    assert told(world.night()["documents"]) == {"renamed": 12}


def fail_and_move(world: World) -> None:
    """One document became unreadable, and then moved as it was."""
    world.put(f"hr/{FOLDER[0]}", "%BAD bytes")
    world.night()
    move(world, f"hr/{FOLDER[0]}", f"people/{FOLDER[0]}")


def test_a_quarantined_document_that_moved_keeps_what_it_had_for_good(world: World) -> None:
    fail_and_move(world)
    world.night()
    assert (world.night()["state"], served(world, FOLDER[0])) == ("unchanged", {"hr"})


def test_of_equal_documents_that_moved_as_many_stay_as_failed(world: World) -> None:
    world.put("hr/copy.txt", text(FOLDER[0]))
    world.night()
    move(world, "hr/copy.txt", "people/copy.txt")
    move_and_fail(world)
    report = world.night()
    assert told(report["documents"]) == {"added": 1, "renamed": 1, "quarantined": 1}
    assert len(served(world, "copy.txt") | served(world, FOLDER[0])) == 2


def test_a_document_that_moved_to_two_keys_goes_when_one_of_them_is_read(world: World) -> None:
    move_and_fail(world)
    world.put(f"archive/{FOLDER[0]}", text(FOLDER[0]))
    world.night()
    assert served(world, FOLDER[0]) == {"archive"}


def test_one_that_fails_under_another_model_is_lost_and_the_version_waits(world: World) -> None:
    move_and_fail(world)
    world.model = "other"
    with pytest.raises(HeldBack, match="1 document that people find now failed under the new embedding"):
        world.night()
    waiting = read_versions(world.state)[0]
    assert (waiting.state, waiting.counts["lost"]) == (State.WAITING, 1)


@pytest.mark.parametrize("night", ["the same", "a later"])
def test_what_the_corpus_file_excludes_goes_although_a_copy_of_it_fails(world: World, night: str) -> None:
    world.put(f"people/{FOLDER[0]}", text(FOLDER[0]))
    lock(world, f"people/{FOLDER[0]}")
    if night == "a later":
        world.night()
    world.configure(source={"exclude": [f"hr/{FOLDER[0]}"]})
    world.night()
    assert served(world, FOLDER[0]) == set()


def test_an_emptied_document_that_is_deleted_goes_although_another_is_empty(world: World) -> None:
    for name in (FOLDER[0], "other.txt"):
        world.put(f"hr/{name}", "")
    world.night()
    world.remove(f"hr/{FOLDER[0]}")
    assert world.night()["documents"]["deleted"] == 1
    assert served(world, FOLDER[0]) == set()


LIMITS: dict[str, dict[str, Any]] = {
    "prefix": {"prefix": "hr/"},
    "where": {"where": ("team", "hr")},
    "documents": {"documents": (f"s3://documents/h/hr/{FOLDER[0]}",)},
}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=list(LIMITS))
def test_a_limited_run_leaves_what_moved_out_of_it_to_a_whole_night(world: World, limit: dict[str, Any]) -> None:
    move(world, f"hr/{FOLDER[0]}", f"people/{FOLDER[0]}")
    assert (world.night(**limit)["state"], served(world, FOLDER[0])) == ("unchanged", {"hr"})
    assert told(world.night()["documents"]) == {"renamed": 1}


def test_trying_failed_documents_again_drops_none_that_moved(world: World) -> None:
    fail_and_move(world)
    assert world.night(failed=True)["state"] == "unchanged"
    assert served(world, FOLDER[0]) == {"hr"}


def test_a_limited_run_deletes_what_is_gone_from_everywhere(world: World) -> None:
    world.remove(f"hr/{FOLDER[0]}")
    assert told(world.night(prefix="hr/")["documents"]) == {"deleted": 1}
