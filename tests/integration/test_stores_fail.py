"""Weaviate stopped, S3 at its worst, a run that stalls, a full disk: the next night ends as if it had not happened."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calm import Calm, calm_place
from faulty_gateway import Fault, faulty_gateway
from real_nights import return_to, spend

from nightjar.errors import Misconfigured, Transient
from nightjar.flows.audit import audit
from nightjar.flows.points import Point
from nightjar.flows.services import Services
from nightjar.flows.versions import read_live
from nightjar.model import CollectionName, IndexObject
from nightjar.owner import Owner
from nightjar.ports import Index

pytestmark = [pytest.mark.services, pytest.mark.slow]

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
_EVERY = {Fault.CONFLICT: 3, Fault.LOST_REPLY: 3, Fault.CUT: 5}
_LEASE_S = 3.0
_TRIES = 6


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calm]:
    with calm_place(tmp_path_factory.mktemp("stores")) as ready:
        yield ready


@BOTH
@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_a_store_that_spoils_answers_loses_nothing(calm: Calm, strategy: str, fault: Fault) -> None:
    corpus = calm.corpus(f"{strategy}_{fault.name}".lower(), strategy)
    with faulty_gateway(calm.place.environment["AWS_ENDPOINT_URL_S3"], fault, every=_EVERY.get(fault, 7)) as proxy:
        for _ in range(_TRIES):
            with suppress(Transient):
                calm.place.night(corpus, AWS_ENDPOINT_URL_S3=proxy.endpoint)
                break
            calm.nothing_half_visible(corpus, strategy)
        assert proxy.spoiled
    calm.ends_well(corpus)


def _stopping(calm: Calm, services: Services, point: Point) -> Services:
    def stop(passed: Point) -> None:
        if passed is point:
            calm.place.weaviate.kill()

    return replace(services, passing=stop)


NIGHTS = [
    *(("blue_green", point) for point in (Point.CLAIMED, Point.CREATED, Point.VERIFIED, Point.RECORDED)),
    *(("in_place", point) for point in (Point.WRITING, Point.DOCUMENTS_WRITTEN, Point.DELTA_WRITTEN, Point.RECORDED)),
]
ROLLBACKS = [
    ("blue_green", Point.RECORDED),
    *(("in_place", point) for point in (Point.WRITING, Point.DOCUMENTS_WRITTEN, Point.RECORDED)),
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("strategy", "point"), NIGHTS, ids=[f"{s}-{p.name}" for s, p in NIGHTS])
def test_weaviate_stopped_in_a_night_is_made_up_for_by_the_next(calm: Calm, strategy: str, point: Point) -> None:
    corpus = calm.corpus(f"{strategy}_stopped_{point.name}".lower(), strategy)
    with calm.place.opened(corpus) as services, pytest.raises(Transient):
        spend(_stopping(calm, services, point), f"stopped-{strategy}-{point.name}")
    calm.place.weaviate.start()
    calm.nothing_half_visible(corpus, strategy)
    calm.ends_well(corpus)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("strategy", "point"), ROLLBACKS, ids=[f"{s}-{p.name}" for s, p in ROLLBACKS])
def test_weaviate_stopped_in_a_rollback_is_made_up_for_by_the_next_run(calm: Calm, strategy: str, point: Point) -> None:
    corpus = calm.corpus(f"{strategy}_return_{point.name}".lower(), strategy)
    calm.ends_well(corpus)
    with calm.place.opened(corpus) as services, pytest.raises(Transient):
        return_to(_stopping(calm, services, point), 1, run_id=f"return-{strategy}-{point.name}")
    calm.place.weaviate.start()
    calm.nothing_half_visible(corpus, strategy)
    calm.ends_rolled_back(corpus)


@BOTH
def test_places_in_the_vector_index_that_a_killed_server_lost_are_filled_anew(calm: Calm, strategy: str) -> None:
    corpus = calm.corpus(f"{strategy}_killed".lower(), strategy)
    calm.ends_well(corpus)
    calm.place.weaviate.kill()
    calm.place.weaviate.start()
    with calm.place.opened(corpus) as services:
        before = read_live(services.state)
        sound = audit(services).ok
        assert calm.place.night(corpus)["state"] == "unchanged"
        after = read_live(services.state)
        assert before is not None
        assert after is not None
        assert after.version == before.version
        assert (after.collection == before.collection) == sound
        assert audit(services).ok
    calm.ends_well(corpus)


class _Refused:
    """The index, but for one vector of another length among what is written first: the server refuses that object."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.spoiled = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def write(self, name: CollectionName, objects: Iterable[IndexObject]) -> int:
        given = list(objects)
        if given and not self.spoiled:
            self.spoiled = True
            middle = len(given) // 2
            given[middle] = replace(given[middle], vector=given[middle].vector[:-1])
        return self._index.write(name, given)


@BOTH
def test_an_object_that_weaviate_refuses_stops_the_night_and_is_named(calm: Calm, strategy: str) -> None:
    corpus = calm.corpus(f"{strategy}_refused", strategy)
    with calm.place.opened(corpus) as services:
        refusing = _Refused(services.index)
        with pytest.raises(Misconfigured, match="refused 1 objects, the first of them chunk"):
            spend(replace(services, open_index=lambda: refusing), f"refused-{strategy}")
        assert refusing.spoiled
    calm.nothing_half_visible(corpus, strategy)
    calm.ends_well(corpus)


STALLS = [
    *(("blue_green", point) for point in (Point.CREATED, Point.FILLED, Point.VERIFIED)),
    *(("in_place", point) for point in (Point.WRITING, Point.DOCUMENTS_WRITTEN, Point.VERIFIED)),
]


@pytest.mark.parametrize(("strategy", "point"), STALLS, ids=[f"{s}-{p.name}" for s, p in STALLS])
def test_a_run_that_wakes_up_after_the_next_took_over_changes_nothing(calm: Calm, strategy: str, point: Point) -> None:
    corpus = calm.corpus(f"{strategy}_stalled_{point.name}".lower(), strategy)
    owner = Owner.dag(f"reindex_{corpus.name}")
    with calm.place.stalled_night(corpus, point, owner=owner) as stalled:
        stalled.await_stop()
        with calm.place.opened(corpus) as services:
            assert spend(services, f"successor-{strategy}-{point.name}", owner=owner)["state"] == "live"
        assert calm.served(corpus) == calm.second
        assert stalled.go_on() == "Superseded"
    assert calm.served(corpus) == calm.second
    calm.place.consistent(corpus)
    calm.ends_well(corpus)


@pytest.mark.parametrize(
    ("strategy", "point"),
    [("blue_green", Point.COMMITTED), ("blue_green", Point.ALIASED), ("in_place", Point.COMMITTED)],
)
def test_a_run_that_wakes_up_after_its_commit_undoes_nothing_of_the_next(
    calm: Calm, strategy: str, point: Point
) -> None:
    corpus = calm.corpus(f"{strategy}_slept_{point.name}".lower(), strategy)
    owner = Owner.dag(f"reindex_{corpus.name}")
    with calm.place.stalled_night(corpus, point, owner=owner) as stalled:
        stalled.await_stop()
        calm.place.put("benefits.txt", "# Benefits\n\nA horse for everyone.")
        with calm.place.opened(corpus) as services:
            assert spend(services, f"after-{strategy}-{point.name}", owner=owner)["state"] == "live"
        served = calm.served(corpus)
        assert stalled.go_on() == "Superseded"
    assert calm.served(corpus) == served != calm.second
    calm.place.consistent(corpus)


def test_a_run_that_stalls_past_its_lease_is_overtaken_by_anybody(calm: Calm) -> None:
    corpus = calm.corpus("stalled_past_its_lease", "blue_green")
    with calm.place.stalled_night(corpus, Point.PLANNED, ttl_s=_LEASE_S) as stalled:
        stalled.await_stop()
        time.sleep(_LEASE_S)  # a living process of this machine is not overtaken while its last word is fresh
        with calm.place.opened(corpus) as services:
            assert spend(services, "successor")["state"] == "live"
        assert stalled.go_on() == "Superseded"
    calm.ends_well(corpus)


@BOTH
def test_readers_find_every_document_at_every_moment_of_a_night(calm: Calm, strategy: str) -> None:
    corpus = calm.corpus(f"{strategy}_readers", strategy)
    moments = []

    def read(passed: Point) -> None:
        calm.nothing_half_visible(corpus, strategy)
        moments.append(passed)

    with calm.place.opened(corpus) as services:
        spend(replace(services, passing=read), f"read-{strategy}")
    assert {Point.PLANNED, Point.VERIFIED, Point.ALIASED} <= set(moments)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own, a little above what a run asks for, in no folder: it ends with this process."""
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1100m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("no file system can be mounted here: a full disk was not tried")
    held = os.open(folder, os.O_RDONLY)
    try:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        yield Path(f"/proc/{os.getpid()}/fd/{held}")
    finally:
        os.close(held)


@BOTH
def test_a_disk_that_fills_up_in_mid_run_blames_no_document(calm: Calm, tmp_path: Path, strategy: str) -> None:
    corpus = calm.corpus(f"{strategy}_full_disk", strategy)
    with _small_disk(tmp_path / "disk") as disk:
        filler = disk / "filler"

        def fill(passed: Point) -> None:
            if passed is Point.PLANNED:
                free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
                with filler.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, free)

        environment: Mapping[str, str] = {"NIGHTJAR_WORK": str(disk / "work")}
        with calm.place.opened(corpus, **environment) as services, pytest.raises(Misconfigured, match="is full: make"):
            spend(replace(services, passing=fill), f"full-disk-{strategy}")
        calm.nothing_half_visible(corpus, strategy)
        filler.unlink()
        with calm.place.opened(corpus, **environment) as services:
            report = spend(services, f"roomy-disk-{strategy}")
    assert (report["state"], report["documents"]["quarantined"]) == ("live", 0)
    assert calm.served(corpus) == calm.second
    calm.place.consistent(corpus)
