"""The list of moments at which a run may die is the truth: none of them is dead itself, and at each a run is killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from kill_points import STRATEGIES, killed_on_real_servers
from world import World, handbook

from nightjar.flows.erasing import forget
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.sweeping import sweep
from nightjar.flows.tidying import tidy
from nightjar.lease import Lease
from nightjar.owner import Owner

OWNER = Owner.dag("reindex_handbook")


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[Point]]:
    """By strategy, what nights after the first, a rollback, an erasure and a sweep pass."""
    return {strategy: _passed(tmp_path_factory.mktemp("points"), strategy) for strategy in STRATEGIES}


def test_every_point_is_passed_by_some_night_rollback_erasure_or_sweep(passed: Mapping[str, set[Point]]) -> None:
    assert set().union(*passed.values()) == set(Point)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_on_real_servers_is_killed_at_every_point(passed: Mapping[str, set[Point]], strategy: str) -> None:
    assert killed_on_real_servers(strategy) == passed[strategy]


def _passed(folder: Path, strategy: str) -> set[Point]:
    passed: set[Point] = set()
    world = World(folder, handbook(index={"strategy": strategy}))
    for days in ("thirty", "forty"):
        passed.clear()
        world.put("leave.txt", f"# Leave\n\nEveryone has {days} days of leave a year.")
        services = replace(world.services(), passing=passed.add)
        run_night(services, run_id=f"night-{days}", owner=OWNER, options=Options())
    _roll_back(replace(world.services(), passing=passed.add))
    _forget_and_sweep(replace(world.services(), passing=passed.add))
    return passed


def _roll_back(services: Services) -> None:
    ask_return(services, to=1, reason="")
    lease = Lease.acquire(services.state, run_id="rollback", owner=OWNER, ttl_s=60.0)
    tidy(services, actor="somebody", lease=lease)
    lease.release()


def _forget_and_sweep(services: Services) -> None:
    lease = Lease.acquire(services.state, run_id="forget", owner=OWNER, ttl_s=60.0)
    forget(services, ["leave.txt"], reason="", lease=lease, actor="somebody")
    sweep(services, lease=lease, actor="somebody")
    lease.release()
