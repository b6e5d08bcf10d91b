"""Documents that stand under another key: what people find of them goes when the new key has content, not before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from world import World, handbook

FOLDER = tuple(f"{number:02}.txt" for number in range(12))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """More documents are live than the deletion guard would let go, each in a folder of its team."""
    corpus = handbook(metadata={"fields": {"team": "text"}, "from_path": "{team}/**"}, embed={"switch": "automatic"})
    world = World(tmp_path, corpus)
    for name in FOLDER:
        world.put(f"hr/{name}", text(name))
    world.put("ops/stays.txt", text("stays.txt"))
    world.night()
    return world


def text(name: str) -> str:
    return f"# Document {name}\n\nThis is what {name} has to say."


def move(world: World, name: str, to: str) -> None:
    kept = world.source._objects[f"h/{name}"].data
    world.remove(name)
    world.put(to, kept.decode())


def served(world: World, name: str) -> set[str]:
    """Folders in which people find this document."""
    found = {str(properties["source_uri"]) for properties, _ in world.served().values()}
    return {uri.split("/")[-2] for uri in found if uri.endswith(f"/{name}")}


def told(documents: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in documents.items() if count and name != "unchanged"}


def fail_and_move(world: World) -> None:
    """One document became unreadable, and then moved as it was."""
    world.put(f"hr/{FOLDER[0]}", "%BAD bytes")
    world.night()
    move(world, f"hr/{FOLDER[0]}", f"people/{FOLDER[0]}")


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
