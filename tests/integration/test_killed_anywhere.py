"""A run that dies at any named moment costs nothing: the next one ends as if it had not happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pytest
from kill_points import NIGHT, ROLLBACK, STRATEGIES
from real_nights import Objects, Place, nothing_is_half_visible, place

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack
from nightjar.flows.points import Point
from nightjar.flows.rollback import unhold

pytestmark = [pytest.mark.services, pytest.mark.slow]

NIGHT_CASES = [(strategy, point) for strategy in STRATEGIES for point in NIGHT[strategy]]
ROLLBACK_CASES = [(strategy, point) for strategy in STRATEGIES for point in ROLLBACK[strategy]]


@dataclass
class Twins:
    """Corpora over one source that all had the same first night; what the calm ones served after each night."""

    place: Place
    corpora: Mapping[str, Corpus]
    first: Mapping[str, Objects]
    second: Mapping[str, Objects]


def _name(strategy: str, what: str, point: Point) -> str:
    return f"{strategy}_{what}_{point.name}".lower()


@pytest.fixture(scope="module")
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Only the corpora of the tests that were chosen, each with its first night behind it."""
    chosen = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    with place(tmp_path_factory.mktemp("killed")) as servers:
        corpora = {}
        for item in chosen:
            what = "rollback" if "rollback" in item.name else "night"
            strategy, point = item.callspec.params["strategy"], item.callspec.params["point"]
            name = _name(strategy, what, point)
            corpora[name] = servers.corpus(name, strategy=strategy)
        calm = {strategy: servers.corpus(f"calm_{strategy}", strategy=strategy) for strategy in STRATEGIES}
        servers.first_day()
        for corpus in (*corpora.values(), *calm.values()):
            assert servers.night(corpus)["state"] == "live"
        first = {strategy: servers.served(corpus) for strategy, corpus in calm.items()}
        servers.second_day()
        for corpus in calm.values():
            assert servers.night(corpus)["state"] == "live"
        second = {strategy: servers.served(corpus) for strategy, corpus in calm.items()}
        assert first["blue_green"] != second["blue_green"]
        yield Twins(servers, corpora, first, second)


def test_both_strategies_end_with_the_same_index(twins: Twins) -> None:
    assert twins.second["blue_green"] == twins.second["in_place"]


@pytest.mark.parametrize(("strategy", "point"), NIGHT_CASES, ids=[f"{s}-{p.name}" for s, p in NIGHT_CASES])
def test_a_night_killed_at_any_point_leaves_no_trace_in_the_next(twins: Twins, strategy: str, point: Point) -> None:
    servers, corpus = twins.place, twins.corpora[_name(strategy, "night", point)]
    assert servers.killed_night(corpus, point), f"the night ended without passing {point!r}"
    nothing_is_half_visible(servers.served(corpus), twins.first[strategy], twins.second[strategy], strategy=strategy)
    servers.night(corpus)
    assert servers.served(corpus) == twins.second[strategy]
    servers.consistent(corpus)


@pytest.mark.parametrize(("strategy", "point"), ROLLBACK_CASES, ids=[f"{s}-{p.name}" for s, p in ROLLBACK_CASES])
def test_a_rollback_killed_at_any_point_is_finished_by_the_next_run(twins: Twins, strategy: str, point: Point) -> None:
    servers, corpus = twins.place, twins.corpora[_name(strategy, "rollback", point)]
    servers.night(corpus)
    assert servers.killed_rollback(corpus, point), f"the rollback ended without passing {point!r}"
    nothing_is_half_visible(servers.served(corpus), twins.first[strategy], twins.second[strategy], strategy=strategy)
    with suppress(HeldBack):
        servers.night(corpus)
    assert servers.served(corpus) == twins.first[strategy]
    servers.consistent(corpus)
    with servers.opened(corpus) as services:
        unhold(services)
    servers.night(corpus)
    assert servers.served(corpus) == twins.second[strategy]
    servers.consistent(corpus)
