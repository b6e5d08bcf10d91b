"""The list of moments at which a run may die is the truth: none of them is dead itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from world import World, handbook

from nightjar.flows.erasing import forget
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.settle import tidy
from nightjar.flows.sweeping import sweep
from nightjar.lease import Lease
from nightjar.owner import Owner

OWNER = Owner.dag("reindex_handbook")


def test_every_point_is_passed_by_some_night_rollback_erasure_or_sweep(tmp_path: Path) -> None:
    passed: set[Point] = set()
    for strategy in ("blue_green", "in_place"):
        world = World(tmp_path, handbook(index={"strategy": strategy}))
        for days in ("thirty", "forty"):
            world.put("leave.txt", f"# Leave\n\nEveryone has {days} days of leave a year.")
            services = replace(world.services(), passing=passed.add)
            run_night(services, run_id=f"night-{days}", owner=OWNER, options=Options())
        _roll_back(replace(world.services(), passing=passed.add))
        _forget_and_sweep(replace(world.services(), passing=passed.add))
    assert passed == set(Point)


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
