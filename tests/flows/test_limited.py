"""Nights that are limited to some documents: everything outside stays as it is, and nothing outside is deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from world import World, handbook

from nightjar.adapters.memory.embedder import MemoryEmbedder
from nightjar.flows.audit import audit
from nightjar.flows.manifests import load_manifest
from nightjar.flows.versions import read_live, read_version
from nightjar.model import Vector

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
Objects = dict[str, tuple[Mapping[str, Any], bytes]]


class OtherEmbedder(MemoryEmbedder):
    """The same recipe, yet other bits: as another processor would compute."""

    def embed(self, texts: Sequence[str]) -> Vector:
        return np.nextafter(super().embed(texts), np.float32(2)).astype(np.float32)


@dataclass(frozen=True)
class Limit:
    """What a run is asked for, the documents that this reaches, and what it does with them."""

    options: Mapping[str, Any]
    reaches: frozenset[str]
    added: int = 0
    deleted: int = 0


# Below a/ and b/ alike: one document is edited, one deleted, one repaired, one new, and one has not changed.
EDITED, DELETED, REPAIRED, NEW = "edited.txt", "deleted.txt", "repaired.txt", "new.txt"
SAME, COPY = "same.txt", "copy.txt"
STOOD = (EDITED, DELETED, REPAIRED, SAME, COPY)


def below(folder: str, *names: str) -> frozenset[str]:
    return frozenset(f"{folder}/{name}" for name in names)


A = below("a", *STOOD)
LIMITS = {
    "prefix": Limit({"prefix": "a/"}, A | below("a", NEW), added=1, deleted=1),
    # Of what nobody has read yet nobody knows a field; nor of what failed.
    "where": Limit({"where": ("team", "a")}, below("a", EDITED, DELETED, SAME, COPY), deleted=1),
    "failed": Limit({"failed": True}, below("a", REPAIRED) | below("b", REPAIRED)),
    "documents": Limit({"documents": ("s3://documents/h/a/edited.txt",)}, below("a", EDITED)),
    "failed below a prefix": Limit({"failed": True, "prefix": "a/"}, below("a", REPAIRED)),
    **{
        f"{step} below a prefix": Limit({"recompute": step, "prefix": "a/"}, A | below("a", NEW), added=1, deleted=1)
        for step in ("parse", "chunk", "embed")
    },
    "everything below a prefix": Limit({"full_refresh": True, "prefix": "a/"}, A | below("a", NEW), added=1, deleted=1),
}
EACH = pytest.mark.parametrize("limit", LIMITS.values(), ids=list(LIMITS))


def world_of(folder: Path, strategy: str) -> World:
    """Two folders of documents are live; since then the bucket changed in both, and the model computes otherwise."""
    world = World(folder, handbook(index={"strategy": strategy}, metadata={"fields": {"team": "text"}} | FROM_PATH))
    for team in "ab":
        for name in STOOD:
            world.put(f"{team}/{name}", f"# {name} of {team}\n\nThis is what {name} of {team} says.")
        world.put(f"{team}/{REPAIRED}", "%BAD bytes")
        world.put(f"{team}/{COPY}", "# Copy\n\nThis stands in both folders.")
    world.night()
    world.night()
    for team in "ab":
        world.put(f"{team}/{EDITED}", f"# {EDITED} of {team}\n\nThis is what {EDITED} of {team} says now.")
        world.put(f"{team}/{REPAIRED}", f"# {REPAIRED} of {team}\n\nIt can be read again.")
        world.put(f"{team}/{NEW}", f"# {NEW} of {team}\n\nNobody has seen it yet.")
        world.remove(f"{team}/{DELETED}")
    world.embedder = OtherEmbedder()
    return world


FROM_PATH = {"from_path": "{team}/*.txt"}


def name_of(uri: object) -> str:
    return str(uri).removeprefix("s3://documents/h/")


def outside(served: Objects, limit: Limit) -> Objects:
    return {chunk: found for chunk, found in served.items() if name_of(found[0]["source_uri"]) not in limit.reaches}


def rows_outside(world: World, limit: Limit) -> list[dict[str, Any]]:
    live = read_live(world.state)
    assert live is not None
    rows = load_manifest(world.state, read_version(world.state, live.version).manifest).to_pylist()
    return [row for row in rows if name_of(row["uri"]) not in limit.reaches]


@BOTH
@EACH
def test_what_lies_outside_is_served_as_before(tmp_path: Path, strategy: str, limit: Limit) -> None:
    world = world_of(tmp_path, strategy)
    before, rows = world.served(), rows_outside(world, limit)
    report = world.night(**limit.options)
    assert report["state"] == "live"
    assert outside(world.served(), limit) == outside(before, limit)
    assert rows_outside(world, limit) == rows
    assert (report["documents"]["added"], report["documents"]["deleted"]) == (limit.added, limit.deleted)
    assert audit(world.services()).ok
    world.consistent()


@BOTH
@EACH
def test_nothing_outside_is_read_or_embedded(tmp_path: Path, strategy: str, limit: Limit) -> None:
    world = world_of(tmp_path, strategy)
    world.source.fetched.clear()
    world.parser.parsed.clear()
    world.night(**limit.options)
    assert {key.removeprefix("h/") for key in (*world.source.fetched, *world.parser.parsed)} <= limit.reaches
    told = {text for text in world.embedder.embedded if ".txt of " in text}
    assert told
    assert all(any(f"{name.rpartition('/')[2]} of {name[0]}" in text for name in limit.reaches) for text in told)


@BOTH
@EACH
def test_the_next_whole_night_ends_as_if_there_had_been_no_limit(tmp_path: Path, strategy: str, limit: Limit) -> None:
    whole, world = (world_of(tmp_path / name, strategy) for name in ("whole", "limited"))
    whole.night()
    world.night(**limit.options)
    world.night()
    told = {chunk: properties for chunk, (properties, _) in world.served().items()}
    assert told == {chunk: properties for chunk, (properties, _) in whole.served().items()}
    assert audit(world.services()).ok
    world.consistent()


@BOTH
def test_a_document_that_moved_in_stands_in_both_places_until_a_whole_night(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy)
    world.remove(f"b/{SAME}")
    world.put("a/moved.txt", f"# {SAME} of b\n\nThis is what {SAME} of b says.")
    places = {"b/same.txt", "a/moved.txt"}
    world.night(prefix="a/")
    assert places <= {name_of(properties["source_uri"]) for properties, _ in world.served().values()}
    world.night()
    assert places & {name_of(properties["source_uri"]) for properties, _ in world.served().values()} == {"a/moved.txt"}
    world.consistent()


@pytest.mark.parametrize(
    ("kind", "stored", "asked"),
    [
        ("date", "2024-05-01T00:00:00Z", "2024-05-01"),
        ("date", "2024-05-01T02:00:00+02:00", "2024-05-01T00:00Z"),
        ("number", 2, "2.0"),
        ("bool", True, "true"),
        ("int", 2024, "2024"),
        ("text[]", ["red", "blue"], "blue"),
        ("text", "2024", "2024"),
    ],
)
def test_a_field_is_compared_by_its_kind(tmp_path: Path, kind: str, stored: Any, asked: str) -> None:
    world = World(tmp_path, handbook(metadata={"fields": {"about": kind}, "sidecar": True}))
    for name in ("a.txt", "b.txt"):
        world.put(name, f"# {name}\n\nThis is what {name} says.")
    world.put("a.txt.metadata.json", json.dumps({"about": stored}))
    world.night()
    world.embedder.embedded.clear()
    world.night(where=("about", asked), recompute="embed")
    assert [text for text in world.embedder.embedded if "says" in text] == ["a.txt\nThis is what a.txt says."]
