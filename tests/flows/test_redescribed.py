"""The corpus file's metadata rules change in the same night as something else: every document has tonight's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from world import World, handbook

from nightjar.flows.manifests import load_manifest
from nightjar.flows.versions import read_version

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
FIELDS = {"team": "text"}


@pytest.fixture
def world(tmp_path: Path, strategy: str) -> World:
    """Version 1 says team "hr"; the corpus file says "people" since, and the sidecar of one document overrules both."""
    world = World(tmp_path, handbook(embed={"switch": "automatic"}, **rules("hr"), index={"strategy": strategy}))
    for name in ("leave.txt", "travel.txt", "own.txt"):
        world.put(name, f"# {name}\n\nThis is what {name} has to say.")
    world.put("own.txt.metadata.json", '{"team": "own"}')
    world.night()
    world.configure(**rules("people"))
    return world


def rules(team: str) -> dict[str, Any]:
    return {"metadata": {"fields": FIELDS, "fixed": {"team": team}}}


def teams(world: World) -> dict[str, object]:
    return {str(each["source_uri"]).rpartition("/")[2]: each["team"] for each, _ in world.served().values()}


def another_model(world: World) -> Mapping[str, Any]:
    world.model = "other"
    return world.night()


def another_chunker(world: World) -> Mapping[str, Any]:
    world.chunker = "2"
    return world.night(approve_cost=True)


def chunked_again(world: World) -> Mapping[str, Any]:
    return world.night(recompute="chunk")


@BOTH
@pytest.mark.parametrize("remade", [another_model, another_chunker, chunked_again])
def test_documents_that_are_made_again_have_the_fields_of_tonights_rules(
    world: World, remade: Callable[[World], Mapping[str, Any]]
) -> None:
    assert remade(world)["state"] == "live"
    assert teams(world) == {"leave.txt": "people", "travel.txt": "people", "own.txt": "own"}
    assert set(manifest_of(world, 2)["fields"].to_pylist()) == {'{"team": "people"}', '{"team": "own"}'}
    assert world.night()["state"] == "unchanged"


@BOTH
def test_a_document_that_fails_tonight_keeps_its_text_with_the_fields_of_tonights_rules(world: World) -> None:
    world.put("leave.txt", "%BAD bytes")
    assert world.night()["documents"]["quarantined"] == 1
    assert teams(world) == {"leave.txt": "people", "travel.txt": "people", "own.txt": "own"}
    world.consistent()


@BOTH
def test_no_document_is_read_for_it(world: World) -> None:
    world.source.fetched.clear()
    chunked_again(world)
    assert world.source.fetched == []


def manifest_of(world: World, version: int) -> pa.Table:
    return load_manifest(world.state, read_version(world.state, version).manifest)
