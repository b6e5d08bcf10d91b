"""Nights that no list of points has: access narrowed, a source restored, what others do to alias, index and clock."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from calm import Calm, calm_place
from kill_points import ACCESS, FILLING_ROLLBACK, STRATEGIES
from real_nights import spend

from nightjar.corpus import Corpus
from nightjar.flows.audit import audit, repair
from nightjar.flows.points import Point
from nightjar.model import CollectionName
from nightjar.owner import Owner

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calm]:
    with calm_place(tmp_path_factory.mktemp("odd")) as made:
        yield made


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("point", ACCESS, ids=lambda point: point.name)
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


def embedded_anew(corpus: Corpus) -> Corpus:
    """By another model, the collection of the one before not kept: going back is neither an alias nor a delta."""
    index = corpus.index.model_copy(update={"keep_collections": 1})
    embed = corpus.embed.model_copy(update={"model": "another", "switch": "automatic"})
    return corpus.model_copy(update={"index": index, "embed": embed})


@pytest.mark.parametrize("point", FILLING_ROLLBACK, ids=lambda point: point.name)
def test_a_rollback_killed_while_it_fills_a_collection_is_finished_by_the_next_run(calm: Calm, point: Point) -> None:
    corpus = embedded_anew(calm.corpus(f"filling_{point.name}".lower(), "blue_green"))
    calm.ends_well(corpus)
    assert calm.place.killed_rollback(corpus, point), f"the rollback ended without passing {point!r}"
    assert calm.served(corpus) == calm.second
    calm.ends_rolled_back(corpus)


def delete(calm: Calm, path: str) -> None:
    """By the server's own interface, as somebody else would."""
    server = calm.place.weaviate
    headers = {"Authorization": f"Bearer {server.api_key}"}
    request = urllib.request.Request(f"{server.http_url}/v1/{path}", headers=headers, method="DELETE")
    urllib.request.urlopen(request).close()


def collections(calm: Calm, corpus: Corpus) -> list[CollectionName]:
    """The corpus's own, the newest last."""
    with calm.place.opened(corpus) as services:
        return sorted(name for name in services.index.collections() if name.startswith(f"{corpus.alias}_b"))


def the_alias_is_deleted(calm: Calm, corpus: Corpus) -> None:
    delete(calm, f"aliases/{corpus.alias}")
    assert calm.served(corpus) == {}


def the_live_collection_is_dropped(calm: Calm, corpus: Corpus) -> None:
    live = collections(calm, corpus)[-1]
    delete(calm, f"schema/{live}")
    assert live not in collections(calm, corpus)


def the_alias_is_moved_to_an_older_collection(calm: Calm, corpus: Corpus) -> None:
    calm.ends_well(corpus)
    with calm.place.opened(corpus) as services:
        services.index.point(corpus.alias, collections(calm, corpus)[-2])
    assert calm.served(corpus) == calm.first


def an_object_is_deleted(calm: Calm, corpus: Corpus) -> None:
    lost = min(calm.served(corpus))
    delete(calm, f"objects/{collections(calm, corpus)[-1]}/{lost}")
    assert lost not in calm.served(corpus)


MEDDLING = [
    *((strategy, an_object_is_deleted) for strategy in STRATEGIES),
    *((strategy, the_alias_is_deleted) for strategy in STRATEGIES),
    *((strategy, the_live_collection_is_dropped) for strategy in STRATEGIES),
    ("blue_green", the_alias_is_moved_to_an_older_collection),
]


@pytest.mark.parametrize(("strategy", "what"), MEDDLING, ids=[f"{s}-{what.__name__}" for s, what in MEDDLING])
def test_a_night_ends_as_a_calm_one_although(calm: Calm, strategy: str, what: Callable[[Calm, Corpus], None]) -> None:
    corpus = calm.corpus(f"{strategy}_{what.__name__}", strategy)
    what(calm, corpus)
    calm.ends_well(corpus)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_object_that_somebody_edited_is_found_by_an_audit_and_mended(calm: Calm, strategy: str) -> None:
    corpus = calm.corpus(f"{strategy}_edited", strategy)
    calm.ends_well(corpus)
    with calm.place.opened(corpus) as services:
        name = collections(calm, corpus)[-1]
        edited = next(iter(services.index.scan(name, vectors=True)))
        services.index.write(name, [replace(edited, properties={**edited.properties, "title": "Another"})])
        assert audit(services).wrong_properties == (edited.chunk_id,)
        assert repair(services, run_id=f"repair-{strategy}", owner=Owner.command()).ok
    assert calm.served(corpus) == calm.second


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_clock_that_is_set_back_an_hour_in_mid_night_changes_nothing(calm: Calm, strategy: str) -> None:
    corpus = calm.corpus(f"{strategy}_set_back", strategy)
    passed: list[Point] = []
    with calm.place.opened(corpus) as services:
        hour = timedelta(hours=1)
        early = replace(
            services,
            passing=passed.append,
            clock=lambda: services.clock() - (hour if Point.PLANNED in passed else timedelta()),
        )
        report = spend(early, f"set-back-{strategy}")
    assert report["state"] == "live"
    assert min(report["seconds"].values()) >= 0
    assert calm.served(corpus) == calm.second
    calm.ends_well(corpus)
