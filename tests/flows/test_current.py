"""A task that is cleared after its run: it goes on only while what people search is what the run knew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from world import World, roll_back, three_nights

from nightjar.errors import HeldBack, Superseded
from nightjar.flows.audit import repair
from nightjar.flows.rollback import hold, unhold
from nightjar.flows.runs import resume
from nightjar.flows.versions import read_live
from nightjar.owner import Owner

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


def waiting(folder: Path, strategy: str) -> World:
    """Version 3 is live; the fourth night made version 4, which waits."""
    world, _ = three_nights(folder, strategy)
    world.put("leave.txt", "# Leave\n\nEveryone has sixty days of leave a year.")
    with pytest.raises(HeldBack):
        world.night(promote=False)
    return world


def there_and_back(world: World) -> None:
    roll_back(world, to=2)
    roll_back(world, to=3)
    unhold(world.services())


def restored(world: World) -> None:
    world.index.lose("Handbook")
    repair(world.services(), run_id="audit", owner=Owner.command())


def held_for_a_while(world: World) -> None:
    hold(world.services(), reason="audit")
    unhold(world.services())


def live_number(world: World) -> int:
    live = read_live(world.state)
    assert live is not None
    return live.version


@BOTH
@pytest.mark.parametrize("meanwhile", [there_and_back, restored])
def test_a_run_is_over_where_its_number_is_live_again(
    tmp_path: Path, strategy: str, meanwhile: Callable[[World], None]
) -> None:
    world = waiting(tmp_path, strategy)
    resume(world.services(), "night-4")
    meanwhile(world)
    assert live_number(world) == 3
    with pytest.raises(Superseded, match="run night-4 is over, version 3 went live in Handbook"):
        resume(world.services(), "night-4")


@BOTH
def test_a_run_whose_version_is_gone_back_to_is_over(tmp_path: Path, strategy: str) -> None:
    world, _ = three_nights(tmp_path, strategy)
    roll_back(world, to=2)
    with pytest.raises(Superseded, match="run night-2 is over, version 2 went live"):
        resume(world.services(), "night-2")


@BOTH
def test_a_run_that_went_live_itself_may_go_on(tmp_path: Path, strategy: str) -> None:
    world, _ = three_nights(tmp_path, strategy)
    assert resume(world.services(), "night-3").run_id == "night-3"


@BOTH
def test_a_hold_ends_no_run(tmp_path: Path, strategy: str) -> None:
    world = waiting(tmp_path, strategy)
    held_for_a_while(world)
    assert resume(world.services(), "night-4").run_id == "night-4"


def test_a_run_of_an_earlier_release_goes_on_and_later_ones_are_counted(tmp_path: Path) -> None:
    world = waiting(tmp_path, "blue_green")
    for key in ("live.json", "runs/night-4/run.json"):
        stored = world.state.read(key)
        assert stored is not None
        record = json.loads(stored.data)
        del record.get("live", record)["commits"]
        world.state.write(key, json.dumps(record).encode())
    assert resume(world.services(), "night-4").run_id == "night-4"
    there_and_back(world)
    with pytest.raises(Superseded):
        resume(world.services(), "night-4")
