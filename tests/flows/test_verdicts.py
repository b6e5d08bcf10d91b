"""All gates tell their verdict alike: in the version's record, in the log, and beside the page that explains it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from words import TOPICS, WordEmbedder, questions_about, text_of
from world import World, handbook

from nightjar.artifacts import version_key
from nightjar.flows.verdicts import GATES, sentence
from nightjar.flows.versions import read_version

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A corpus with questions, live since one night."""
    corpus = handbook(evaluation={"questions": str(questions_about(tmp_path)), "k": 5})
    world = World(tmp_path, corpus, embedder=WordEmbedder())
    for topic in TOPICS:
        world.put(f"{topic}.txt", text_of(topic))
    world.night()
    world.put("leave.txt", text_of("leave", "Ask your lead."))
    return world


@pytest.mark.parametrize("gate", GATES)
def test_a_verdict_names_the_page_beside_it_and_says_what_the_report_says(world: World, gate: str) -> None:
    world.night()
    verdict = read_version(world.state, 2).verdicts[gate]
    page = version_key(2, f"{gate}.html")
    assert verdict["report"] == f"s3://state/handbook/{page}"
    assert page in world.state.objects
    told = json.loads(world.state.objects[version_key(2, f"{gate}.json")])
    assert {name: told[name] for name in ("state", "reason", "figures")} == {
        name: verdict[name] for name in ("state", "reason", "figures")
    }


@pytest.mark.parametrize("gate", GATES)
def test_a_verdict_is_one_line_of_log_with_figures_and_report(
    world: World, gate: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        world.night()
    [told] = [line for line in caplog.messages if line.startswith(f"judged version=2 gate={gate} ")]
    report = f"report=s3://state/handbook/versions/000002/{gate}.html: "
    figures = {
        "quality": "documents 8, searchable 8, served 8",
        "drift": " of ",
        "evaluation": "8 questions; recall@5 of vector search 1.000, live 1.000, difference +0.000 to +0.000; MRR of",
    }
    assert report in told
    assert figures[gate] in told.partition(report)[2]


def test_every_measure_of_every_search_is_in_the_evaluations_verdict(world: World) -> None:
    world.night()
    verdict = read_version(world.state, 2).verdicts["evaluation"]
    measures = {f"{mode}_{name}" for mode in ("vector", "keyword", "hybrid") for name in ("recall", "mrr", "ndcg")}
    told = {f"{name}{side}" for name in measures for side in ("", "_live", "_low", "_high")}
    assert verdict["figures"].keys() == {"questions", *told}
    assert verdict["k"] == 5


def test_a_sentence_has_the_verdict_the_reason_and_the_figure_that_counts() -> None:
    figures = {"questions": 8.0, "hybrid_ndcg": 0.5, "hybrid_ndcg_live": 0.9, "hybrid_ndcg_low": -0.5}
    verdict = {"state": "fail", "reason": "it fell", "figures": figures | {"hybrid_ndcg_high": -0.25}}
    assert sentence("evaluation", verdict) == (
        "fail: it fell (8 questions; nDCG@10 of hybrid search 0.500, live 0.900, difference -0.500 to -0.250)"
    )


def test_a_verdict_without_an_interval_is_told_without_its_comparison() -> None:
    figures = {"questions": 8.0, "hybrid_ndcg": 0.5, "hybrid_ndcg_live": 0.9}
    verdict = {"state": "none", "reason": "", "figures": figures}
    assert sentence("evaluation", verdict) == "none (8 questions; nDCG@10 of hybrid search 0.500)"


def test_of_drift_the_figures_nearest_to_their_thresholds_are_told() -> None:
    names = ("canary", "mojibake", "short", "novelty", "mmd")
    figures = dict(zip(names, (0.0, 0.01, 0.02, 0.2, 0.0), strict=True))
    verdict = {"state": "warn", "reason": "", "figures": figures, "thresholds": dict.fromkeys(names, 0.1)}
    assert (
        sentence("drift", verdict)
        == "warn (novelty 0.2 of 0.1, short 0.02 of 0.1, mojibake 0.01 of 0.1, canary 0 of 0.1)"
    )
