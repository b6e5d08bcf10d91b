"""What others do to state, clock and index between two nights: named, or mended, never guessed around."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from world import World, handbook

from nightjar.errors import Misconfigured
from nightjar.flows.night import run_night
from nightjar.flows.runs import Options
from nightjar.flows.versions import read_live, read_version
from nightjar.model import ChunkId, CollectionName
from nightjar.owner import Owner

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


def one_night(folder: Path, strategy: str) -> World:
    world = World(folder, handbook(index={"strategy": strategy}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    return world


@BOTH
def test_a_truncated_manifest_is_named_and_nothing_is_changed(tmp_path: Path, strategy: str) -> None:
    world = one_night(tmp_path, strategy)
    served = world.served()
    bucket = read_version(world.state, 1).manifest[0]
    whole = world.state.read(bucket)
    assert whole is not None
    world.state.write(bucket, whole.data[:-20])
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    with pytest.raises(Misconfigured, match=bucket):
        world.night()
    assert world.served() == served


@BOTH
def test_objects_that_somebody_deleted_are_written_again(tmp_path: Path, strategy: str) -> None:
    world = one_night(tmp_path, strategy)
    served = world.served()
    live = read_live(world.state)
    assert live is not None
    world.index.delete(CollectionName(live.collection), [ChunkId(next(iter(served)))])
    world.night()
    assert world.served() == served
    world.consistent()


@BOTH
def test_a_clock_that_was_set_back_an_hour_changes_nothing(tmp_path: Path, strategy: str) -> None:
    world, twin = (one_night(tmp_path / name, strategy) for name in ("back", "twin"))
    for each in (world, twin):
        each.put("leave.txt", "# Leave\n\nEveryone has forty days of leave a year.")
    twin.night()
    services = world.services()
    early = replace(services, clock=lambda: services.clock() - timedelta(hours=1))
    run_night(early, run_id="early", owner=Owner.dag("reindex_handbook"), options=Options())
    assert world.served().keys() == twin.served().keys()
    world.consistent()
