"""A corpus's two days over real servers, and what it serves after each when nothing happens: the measure of faults."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from real_nights import Objects, Place, nothing_is_half_visible, place

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack
from nightjar.flows.rollback import unhold

_MONTH_S: Final = 30 * 24 * 3600


@dataclass
class Calm:
    """Both servers, and what a corpus serves after each day when nothing happens."""

    place: Place
    first: Objects
    second: Objects

    def corpus(self, name: str, strategy: str) -> Corpus:
        """A corpus with its first night behind it, and the second day's documents in the bucket."""
        corpus = self.place.corpus(name, strategy=strategy)
        self.place.first_day()
        assert self.place.night(corpus)["state"] == "live"
        self.place.second_day()
        return corpus

    def age(self, corpus: Corpus) -> None:
        """All that the state holds, but for what runs hand on, was written a month ago: not too young for a sweep."""
        past = time.time() - _MONTH_S
        state = self.place.folder / "s3" / "nightjar-state" / corpus.name
        for path in state.rglob("*"):
            if path.is_file() and path.relative_to(state).parts[0] != "runs":
                os.utime(path, (past, past))

    def served(self, corpus: Corpus) -> Objects:
        """But for when the documents were put: each test puts them anew."""
        return _timeless(self.place.served(corpus))

    def nothing_half_visible(self, corpus: Corpus, strategy: str) -> None:
        """One version whole; in place, each document whole in one of them."""
        nothing_is_half_visible(self.served(corpus), self.first, self.second, strategy=strategy)

    def ends_rolled_back(self, corpus: Corpus) -> None:
        """After a rollback that was cut short: the next night finishes it; released, the one after goes on."""
        with suppress(HeldBack):
            self.place.night(corpus)
        assert self.served(corpus) == self.first
        self.place.consistent(corpus)
        with self.place.opened(corpus) as services:
            unhold(services)
        self.ends_well(corpus)

    def ends_well(self, corpus: Corpus) -> None:
        """The next night serves what a calm one does, and records agree."""
        self.place.night(corpus)
        assert self.served(corpus) == self.second
        self.place.consistent(corpus)


def _timeless(objects: Objects) -> Objects:
    return {
        chunk_id: ({name: value for name, value in properties.items() if name != "modified_at"}, vector)
        for chunk_id, (properties, vector) in objects.items()
    }


@contextmanager
def calm_place(folder: Path) -> Iterator[Calm]:
    """Both servers, as long as the block."""
    with place(folder) as servers:
        corpus = servers.corpus("undisturbed", strategy="blue_green")
        servers.first_day()
        servers.night(corpus)
        first = _timeless(servers.served(corpus))
        servers.second_day()
        servers.night(corpus)
        yield Calm(servers, first, _timeless(servers.served(corpus)))
