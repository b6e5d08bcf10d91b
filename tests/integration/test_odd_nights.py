"""Killed nights that no list of points has: one that narrows access, and one whose source is restored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from calm import Calm, calm_place

from nightjar.flows.points import Point
from nightjar.model import CollectionName

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calm]:
    with calm_place(tmp_path_factory.mktemp("odd")) as made:
        yield made


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
@pytest.mark.parametrize("point", [Point.ACCESS_RECORDED, Point.ACCESS_SPREAD], ids=lambda point: point.name)
def test_groups_that_were_narrowed_are_narrow_everywhere_after_a_kill(calm: Calm, strategy: str, point: Point) -> None:
    corpus = calm.corpus(f"{strategy}_narrowed_{point.name}".lower(), strategy)
    calm.place.night(corpus)
    calm.place.put("leave.txt.metadata.json", '{"acl": ["hr"]}')
    assert calm.place.killed_night(corpus, point), f"the night ended without passing {point!r}"
    calm.place.night(corpus)
    with calm.place.opened(corpus) as services:
        groups = {
            name: {
                each.properties["acl"]
                for each in services.index.scan(CollectionName(name), vectors=False)
                if str(each.properties["source_uri"]).endswith("/leave.txt")
            }
            for name in services.index.collections()
            if name.startswith(f"{corpus.alias}_b")
        }
    assert len(groups) == (2 if strategy == "blue_green" else 1)
    assert set(map(frozenset, groups.values())) == {frozenset({("hr",)})}
    calm.place.consistent(corpus)


def test_what_a_killed_night_wrote_in_place_is_taken_back_where_the_source_is_restored(calm: Calm) -> None:
    corpus = calm.corpus("restored_in_place", "in_place")
    assert calm.place.killed_night(corpus, Point.DELTA_WRITTEN)
    assert calm.served(corpus) == calm.second
    calm.place.first_day()
    calm.place.night(corpus)
    assert calm.served(corpus) == calm.first
    calm.place.consistent(corpus)
    calm.place.second_day()
    calm.ends_well(corpus)
