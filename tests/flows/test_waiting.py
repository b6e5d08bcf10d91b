"""What a version that waits says of the embedding that changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from world import World

from nightjar.flows.runs import Options, Run
from nightjar.flows.versions import Version, read_live, read_version, save_version
from nightjar.flows.waiting import reason_to_wait

SERVED = {"model": "small", "weights": "a", "document_prompt": "", "precision": "full"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.night()
    return world


def told(world: World, **changed: str) -> str:
    """Of a version that would succeed the live one with this of its embedding changed."""
    services = world.services()
    live = read_live(services.state)
    assert live is not None
    version = read_version(services.state, live.version)
    save_version(services.state, with_embed(version, SERVED))
    run = Run("night-2", "mia", Options(), services.recipe(), services.clock(), live)
    return reason_to_wait(services, run, with_embed(version, SERVED | changed), live)


def with_embed(version: Version, embed: dict[str, str]) -> Version:
    return replace(version, recipe_parts={**version.recipe_parts, "embed": embed})


@pytest.mark.parametrize(
    ("changed", "how"),
    [
        ({"model": "large", "weights": "b"}, "from small to large"),
        ({"weights": "b"}, "in the weights of small"),
        ({"document_prompt": "p: ", "weights": "b"}, "in the document prompt and weights of small"),
    ],
)
def test_it_says_in_what_the_embedding_changed(world: World, changed: dict[str, str], how: str) -> None:
    assert told(world, **changed).startswith(f"the embedding changed {how}: those who search must embed")


def test_the_same_embedding_waits_for_nobody(world: World) -> None:
    assert told(world) == ""
