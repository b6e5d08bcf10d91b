"""Measures as the field computes them, against values worked out by hand."""

from __future__ import annotations

import subprocess
import sys
from math import log2

import pytest

from nightjar.adapters.ir_scorer import IrScorer


def test_measures_are_what_a_hand_works_out() -> None:
    [scores] = IrScorer().score([frozenset({"b", "d"})], [["a", "b", "c", "d"]], k=2)
    gained, ideal = 1 / log2(3) + 1 / log2(5), 1 / log2(2) + 1 / log2(3)
    assert scores == pytest.approx({"recall": 0.5, "mrr": 0.5, "ndcg": gained / ideal})


def test_the_order_of_a_ranking_counts_and_not_its_names() -> None:
    scores = IrScorer().score([frozenset("z"), frozenset("a")], [["z", "a"], ["z", "a"]], k=10)
    assert [each["mrr"] for each in scores] == [1.0, 0.5]


def test_a_question_that_found_nothing_scores_zero_and_keeps_its_place() -> None:
    scores = IrScorer().score([frozenset("a"), frozenset("a")], [[], ["a"]], k=10)
    assert [dict(each) for each in scores] == [
        {"recall": 0.0, "mrr": 0.0, "ndcg": 0.0},
        {"recall": 1.0, "mrr": 1.0, "ndcg": 1.0},
    ]


def test_ndcg_stops_at_ten_whatever_k_is() -> None:
    ranking = [f"x{number}" for number in range(10)] + ["a"]
    [scores] = IrScorer().score([frozenset("a")], [ranking], k=20)
    assert (scores["recall"], scores["ndcg"]) == (1.0, 0.0)
    assert scores["mrr"] == pytest.approx(1 / 11)


def test_the_library_is_loaded_by_an_evaluation_alone() -> None:
    code = "import sys, nightjar.wiring, nightjar.flows.night; sys.exit('ir_measures' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
