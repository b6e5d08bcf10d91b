"""An in-place delta of several groups of documents: killed between two, it is ended or undone like any other.

Groups are small here, so that few documents fill one.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath
from threading import Event

import numpy as np
import pytest
from real_nights import Objects, Place, nothing_is_half_visible, place, return_to, spend

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack, Transient
from nightjar.flows import inplace
from nightjar.flows.points import Point
from nightjar.flows.rollback import unhold
from nightjar.ports import Query

pytestmark = [pytest.mark.services, pytest.mark.slow]

# The delta's groups: one that is full, one that is not, and one of what is deleted.
GROUP = 5
EDITED = 8
RENAMED = 1
DELETED = 2
WORDS = ("door", "window", "stair", "lamp", "desk", "chair", "wall", "floor", "roof", "garden", "gate", "yard", "shed")


@dataclass
class Many:
    """One corpus of many documents, and what a calm night made of each of two days; the second is in the bucket."""

    place: Place
    corpus: Corpus
    first: Objects
    second: Objects

    def goes_back(self, run_id: str) -> None:
        """Version 1 is live, and the next night brings the second day."""
        with self.place.opened(self.corpus) as services:
            return_to(services, 1, run_id=run_id)
            unhold(services)
        assert self.place.served(self.corpus) == self.first

    def stands_in_the_middle(self) -> None:
        found = self.place.served(self.corpus)
        assert found not in (self.first, self.second)
        nothing_is_half_visible(found, self.first, self.second, strategy="in_place")

    def ends_well(self) -> None:
        self.place.night(self.corpus)
        assert self.place.served(self.corpus) == self.second
        self.place.consistent(self.corpus)


def put(servers: Place, number: int, *, day: int, folder: str = "") -> None:
    drawn = random.Random(number)
    sentence = " ".join(drawn.choices(WORDS, k=drawn.randrange(8, 30)))
    servers.put(
        f"{folder}{number:03}.txt", f"# Room {number}\n\n{sentence}, on day {day}.\n\n{sentence.title()} {number}."
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    with place(tmp_path_factory.mktemp("many")) as servers, pytest.MonkeyPatch.context() as patch:
        patch.setattr(inplace, "GROUP_DOCUMENTS", GROUP)
        corpus = servers.corpus("many", strategy="in_place")
        for number in range(EDITED + RENAMED + DELETED):
            put(servers, number, day=1)
        assert servers.night(corpus)["state"] == "live"
        first = servers.served(corpus)
        for number in range(EDITED):
            put(servers, number, day=2)
        for number in range(EDITED, EDITED + RENAMED):
            put(servers, number, day=1, folder="moved/")
        for number in range(EDITED, EDITED + RENAMED + DELETED):
            servers.remove(f"{number:03}.txt")
        assert servers.night(corpus)["state"] == "live"
        yield Many(servers, corpus, first, servers.served(corpus))


MOMENTS = {
    "new chunks of the second group": (Point.DOCUMENTS_WRITTEN, 2),
    "the first group": (Point.DOCUMENTS_REPLACED, 1),
    "all but the deletions": (Point.DOCUMENTS_REPLACED, 2),
}


@pytest.mark.parametrize("written", MOMENTS)
def test_a_night_killed_between_two_groups_leaves_no_trace_in_the_next(many: Many, written: str) -> None:
    point, passing = MOMENTS[written]
    many.goes_back(f"back-{written}")
    assert many.place.killed_night(many.corpus, point, passing=passing)
    many.stands_in_the_middle()
    many.ends_well()


def test_a_rollback_killed_between_two_groups_is_finished_by_the_next_run(many: Many) -> None:
    assert many.place.killed_rollback(many.corpus, Point.DOCUMENTS_REPLACED)
    many.stands_in_the_middle()
    with suppress(HeldBack):
        many.place.night(many.corpus)
    assert many.place.served(many.corpus) == many.first
    many.place.consistent(many.corpus)
    with many.place.opened(many.corpus) as services:
        unhold(services)
    many.ends_well()


@pytest.mark.usefixtures("impatient")
def test_weaviate_killed_between_two_groups_is_made_up_for_by_the_next(many: Many) -> None:
    many.goes_back("back-weaviate")

    def stop(passed: Point) -> None:
        if passed is Point.DOCUMENTS_REPLACED:
            many.place.weaviate.kill()

    with many.place.opened(many.corpus) as services, pytest.raises(Transient):
        spend(replace(services, passing=stop), "weaviate-killed")
    many.place.weaviate.start()
    many.stands_in_the_middle()
    many.ends_well()


STAYING = {f"{number:03}" for number in range(EDITED + RENAMED)}
SEARCHES = (Query("vector", "", np.ones(16, np.float32) / 4, limit=100), Query("keyword", "room", None, limit=100))


def test_people_who_search_while_a_night_writes_never_miss_a_document(
    many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inplace, "GROUP_DOCUMENTS", 1)
    many.goes_back("back-readers")
    writing, over = Event(), Event()
    readings: list[set[str]] = []

    def read() -> None:
        with many.place.opened(many.corpus) as services:
            for query in itertools.cycle(SEARCHES):
                begun = writing.is_set()
                found = services.index.search(many.corpus.alias, query)
                if begun:
                    readings.append({PurePath(str(hit.properties["source_uri"])).stem for hit in found})
                if over.is_set():
                    return

    def tell(passed: Point) -> None:
        if passed is Point.WRITING:
            writing.set()
        if passed is Point.DELTA_WRITTEN:
            writing.clear()

    with ThreadPoolExecutor(max_workers=1) as reader, many.place.opened(many.corpus) as services:
        reads = reader.submit(read)
        try:
            spend(replace(services, passing=tell), "night-read")
        finally:
            over.set()
        reads.result()
    assert len(readings) >= 2 * len(SEARCHES)
    assert [missed for found in readings if (missed := STAYING - found)] == []
    many.ends_well()
