"""The evaluation gate over a real Weaviate: what is damaged is rejected, and people search what they searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from real_nights import Place, place, spend
from words import TOPICS, WordEmbedder, questions_about, text_of, unsearchable

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack
from nightjar.flows.audit import audit
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_versions

pytestmark = [pytest.mark.services]


@dataclass
class Judged:
    """A corpus with golden questions, and the model that its nights use."""

    place: Place
    corpus: Corpus
    embedder: WordEmbedder = field(default_factory=WordEmbedder)

    @contextmanager
    def opened(self) -> Iterator[Services]:
        with self.place.opened(self.corpus) as services:
            yield replace(services, embedder=lambda: self.embedder)

    def night(self) -> Mapping[str, Any]:
        with self.opened() as services:
            return spend(services, f"night-{next(self.place.runs)}")

    def newest(self) -> Version:
        with self.opened() as services:
            return read_versions(services.state)[0]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("evaluated")) as running:
        yield running


def judged(servers: Place, strategy: str) -> Judged:
    """Its first version is live."""
    plain = servers.corpus(f"judged_{strategy}", strategy=strategy)
    questions = questions_about(servers.folder)
    corpus = Corpus.from_resolved(
        {**plain.resolved(), "evaluation": {"questions": str(questions), "floor": {"recall": 0.5}}}
    )
    for topic in TOPICS:
        servers.put(f"{topic}.txt", text_of(topic))
    found = Judged(servers, corpus)
    assert found.night()["state"] == "live"
    return found


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_a_damaged_night_is_rejected_and_the_alias_untouched(servers: Place, strategy: str) -> None:
    corpus = judged(servers, strategy)
    before = servers.served(corpus.corpus)
    for topic in TOPICS:
        servers.put(f"{topic}.txt", text_of(topic, "Damaged tonight."))
    corpus.embedder.damaged = "damaged"
    with pytest.raises(HeldBack, match=r"nDCG@10 of vector search fell from 1\.000"):
        corpus.night()
    assert servers.served(corpus.corpus) == before
    servers.consistent(corpus.corpus)
    corpus.embedder.damaged = ""
    for topic in TOPICS:
        servers.put(f"{topic}.txt", text_of(topic, "Mended."))
    assert corpus.night()["verdicts"]["evaluation"]["state"] == "none"
    servers.consistent(corpus.corpus)


def test_what_only_keywords_notice_is_taken_back_and_the_audit_is_clean(servers: Place) -> None:
    corpus = judged(servers, "in_place")
    before = servers.served(corpus.corpus)
    for topic in TOPICS:
        servers.put(f"{topic}.txt", unsearchable(topic))
    with pytest.raises(HeldBack, match="taken back: nDCG@10 of keyword search fell"):
        corpus.night()
    verdict = corpus.newest().verdicts["evaluation"]
    assert (verdict["state"], verdict["measured"]) == ("fail", "index")
    assert servers.served(corpus.corpus) == before
    with corpus.opened() as services:
        assert audit(services).ok
    servers.consistent(corpus.corpus)
