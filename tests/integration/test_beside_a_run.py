"""`gc` and audits beside a night, and in place of one that stalled: none takes what another needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from calm import Calm, calm_place
from kill_points import STRATEGIES, SWEEP
from real_nights import return_to, spend, sweep_up

from nightjar.errors import HeldBack
from nightjar.flows.audit import audit, repair
from nightjar.flows.points import Point
from nightjar.owner import Owner

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calm]:
    with calm_place(tmp_path_factory.mktemp("beside")) as ready:
        yield ready


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_beside_a_run_both_are_held_back_and_an_audit_finds_nothing_at_every_point(calm: Calm, strategy: str) -> None:
    corpus = calm.corpus(f"{strategy}_beside", strategy)
    moments: list[Point] = []
    wrong: list[str] = []

    def look(work: str, passed: Point) -> None:
        with calm.place.opened(corpus) as others, suppress(HeldBack):
            found = audit(others)
            if not found.ok:
                wrong.append(f"{work} {passed.name}: {', '.join(found.problems) or 'objects differ'}")

    def meddle(work: str, passed: Point) -> None:
        calm.age(corpus)
        with calm.place.opened(corpus) as others:
            with pytest.raises(HeldBack, match="has been running since"):
                sweep_up(others, run_id=f"gc-{passed.name}")
            with pytest.raises(HeldBack, match="has been running since"):
                repair(others, run_id=f"repair-{passed.name}", owner=Owner.command())
        look(work, passed)
        moments.append(passed)

    with calm.place.opened(corpus) as services:
        assert spend(replace(services, passing=partial(meddle, "night")), f"beside-{strategy}")["state"] == "live"
    assert {Point.SETTLED, Point.PLANNED, Point.VERIFIED, Point.COMMITTED, Point.ALIASED} <= set(moments)
    assert calm.served(corpus) == calm.second
    calm.place.consistent(corpus)
    calm.ends_well(corpus)
    calm.place.put("leave.txt.metadata.json", '{"acl": ["hr"]}')
    moments.clear()
    with calm.place.opened(corpus) as services:
        spend(replace(services, passing=partial(meddle, "narrowing")), f"narrowing-{strategy}")
    assert {Point.ACCESS_RECORDED, Point.ACCESS_SPREAD} <= set(moments)
    with calm.place.opened(corpus) as services:
        return_to(replace(services, passing=partial(look, "rollback")), 1, run_id=f"back-{strategy}")
    assert not wrong, "\n".join(wrong)


STALLS = [
    *(("blue_green", point) for point in (Point.EMBEDDED, Point.CREATED, Point.VERIFIED)),
    *(("in_place", point) for point in (Point.EMBEDDED, Point.DOCUMENTS_WRITTEN, Point.VERIFIED)),
]


@pytest.mark.parametrize(("strategy", "point"), STALLS, ids=[f"{s}-{p.name}" for s, p in STALLS])
def test_a_run_that_wakes_up_after_both_has_changed_nothing(calm: Calm, strategy: str, point: Point) -> None:
    corpus = calm.corpus(f"{strategy}_swept_{point.name}".lower(), strategy)
    owner = Owner.dag(f"reindex_{corpus.name}")  # whose successor takes over at once
    with calm.place.stalled_night(corpus, point, owner=owner) as stalled:
        stalled.await_stop()
        calm.age(corpus)
        with calm.place.opened(corpus) as services:
            sweep_up(services, run_id=f"gc-{strategy}-{point.name}", owner=owner)
            assert repair(services, run_id=f"repair-{strategy}-{point.name}", owner=owner).ok
        served = calm.served(corpus)
        assert served in (calm.first, calm.second)
        assert stalled.go_on()  # its lease is lost, its version was given up, or the collection that it fills is gone
    assert calm.served(corpus) == served
    with calm.place.opened(corpus) as services:
        assert audit(services).ok
    calm.ends_well(corpus)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("point", SWEEP, ids=lambda point: point.name)
def test_a_sweep_killed_at_any_point_is_ended_by_the_next(calm: Calm, strategy: str, point: Point) -> None:
    corpus = calm.corpus(f"{strategy}_gc_{point.name}".lower(), strategy)
    calm.ends_well(corpus)
    with calm.place.opened(corpus) as services:
        services.state.write("vectors/aa/bb/left.parquet", b"left")
        calm.age(corpus)
        assert calm.place.killed_sweep(corpus, point), f"the sweep ended without passing {point!r}"
        assert calm.served(corpus) == calm.second
        assert audit(services).ok
        sweep_up(services, run_id=f"gc-again-{strategy}-{point.name}")
        assert not services.state.exists("vectors/aa/bb/left.parquet")
        return_to(services, 1, run_id=f"back-{strategy}-{point.name}")
    assert calm.served(corpus) == calm.first
    calm.place.consistent(corpus)
