"""What others do to state, clock and index between two nights: named, or mended, never guessed around."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from world import World, handbook

from nightjar.errors import Misconfigured
from nightjar.flows.checkouts import move_checkout, read_checkout
from nightjar.flows.night import run_night
from nightjar.flows.planning import plan
from nightjar.flows.runs import Options, find_run
from nightjar.flows.settle import settle
from nightjar.flows.versions import read_live, read_version
from nightjar.lease import Lease
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
    with pytest.raises(Misconfigured, match=rf"{bucket} is damaged: .* `nightjar audit --repair`"):
        world.night()
    assert world.served() == served


def test_a_plan_in_another_process_than_the_settling_looks_at_the_live_collection_itself(tmp_path: Path) -> None:
    world = one_night(tmp_path, "in_place")
    lease = Lease.acquire(world.state, run_id="cleared", owner=Owner.dag("reindex_handbook"))
    settled = settle(world.services(), run_id="cleared", actor="mia", options=Options(), lease=lease)
    world.index.lose(world.corpus.alias)
    found = find_run(world.services(), "cleared")
    assert found is not None
    assert (settled.distrusted, found.distrusted) == ("", None)
    rebuild = plan(world.services(), found).rebuild
    assert rebuild is not None
    assert rebuild.endswith("is gone")


def test_stored_vectors_of_another_content_fill_no_collection(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(index={"strategy": "blue_green"}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    served = world.served()
    one, other = sorted(world.state.keys("vectors/"))
    whole = world.state.read(other)
    assert whole is not None
    world.state.write(one, whole.data)
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    with pytest.raises(Misconfigured, match=rf"{one} holds 1 chunks of .*: run again with --recompute embed"):
        world.night()
    assert world.served() == served
    assert world.night(recompute="embed")["state"] == "live"
    assert served.items() <= world.served().items()
    world.consistent()


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
def test_a_collection_that_an_earlier_release_filled_is_filled_anew_under_its_version(
    tmp_path: Path, strategy: str
) -> None:
    world = one_night(tmp_path, strategy)
    before = read_live(world.state)
    assert before is not None
    entry = read_checkout(world.state, before.collection)
    assert entry is not None
    move_checkout(world.state, entry, replace(entry.value, form=1))
    world.night()
    after = read_live(world.state)
    assert after is not None
    assert (after.collection != before.collection, after.version) == (True, before.version)
    world.consistent()


@BOTH
def test_a_clock_that_was_set_back_an_hour_changes_nothing(tmp_path: Path, strategy: str) -> None:
    world, twin = (one_night(tmp_path / name, strategy) for name in ("back", "twin"))
    for each in (world, twin):
        each.put("leave.txt", "# Leave\n\nEveryone has forty days of leave a year.")
    twin.night()
    services = world.services()
    run_night(
        replace(services, clock=lambda: services.clock() - timedelta(hours=1)),
        run_id="early",
        owner=Owner.dag("reindex_handbook"),
        options=Options(),
    )
    assert world.served() == twin.served()
    world.consistent()


@pytest.mark.slow
@BOTH
def test_a_clock_that_is_set_back_an_hour_in_mid_night_changes_nothing_and_costs_stay_costs(
    tmp_path: Path, strategy: str
) -> None:
    twin = changed_night(tmp_path / "twin", strategy)
    twin.night()
    moment = 0
    while True:
        world = changed_night(tmp_path / str(moment), strategy)
        clock = SetBack(world.services().clock, after=moment)
        report = run_night(
            replace(world.services(), clock=clock),
            run_id="back",
            owner=Owner.dag("reindex_handbook"),
            options=Options(),
        )
        assert world.served() == twin.served(), f"set back after {moment} readings"
        world.consistent()
        cost = read_version(world.state, 2).cost
        assert min(*report["seconds"].values(), *cost["seconds"].values(), cost["seconds_a_token"]) >= 0
        if clock.read < moment:
            break
        moment += 1
    assert moment > 5


def changed_night(folder: Path, strategy: str) -> World:
    world = one_night(folder, strategy)
    world.put("leave.txt", "# Leave\n\nEveryone has forty days of leave a year.")
    return world


class SetBack:
    """A wall clock that somebody sets back an hour once it was read so often."""

    def __init__(self, clock: Callable[[], datetime], *, after: int) -> None:
        self._clock, self._after, self.read = clock, after, 0

    def __call__(self) -> datetime:
        self.read += 1
        return self._clock() - timedelta(hours=1 if self.read > self._after else 0)
