"""Intervals and what they mean for a version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nightjar.corpus.policy import Evaluation
from nightjar.model import Verdict
from nightjar.stages.evaluation.comparison import MODES, Scored, Side, compare
from nightjar.stages.evaluation.resampling import estimates
from nightjar.stages.evaluation.verdict import judge


def side(*scores: float, modes: tuple[str, ...] = MODES) -> Side:
    """Every measure of every mode alike."""
    return {
        mode: tuple(Scored(dict.fromkeys(("recall", "mrr", "ndcg"), each), ()) for each in scores) for mode in modes
    }


def verdict(candidate: Side, live: Side | None, **limits: Any) -> Verdict:
    count = len(next(iter(candidate.values())))
    compared = compare(candidate, live, pairs=range(count))
    pairs = count if live else 0
    return judge(compared, questions=count, pairs=pairs, limits=Evaluation(questions="x.jsonl", **limits))


def test_an_interval_is_that_of_the_mean() -> None:
    scores = np.random.default_rng(7).normal(0.5, 0.1, (400, 1))
    [estimate] = estimates(scores)
    assert estimate.mean == pytest.approx(scores.mean())
    half = 1.96 * scores.std() / 20
    assert (estimate.mean - estimate.low, estimate.high - estimate.mean) == pytest.approx((half, half), rel=0.1)


def test_the_same_scores_have_the_same_interval() -> None:
    scores = np.random.default_rng(7).random((30, 2))
    assert estimates(scores) == estimates(scores.copy())


def test_no_question_has_no_interval() -> None:
    with pytest.raises(ValueError, match="no question"):
        estimates(np.empty((0, 3)))


@pytest.mark.parametrize("scores", [(1.0,) * 8, (0.0,) * 8, (1.0, 0.0, 0.3, 0.5, 0.2)])
def test_what_did_not_change_is_never_red(scores: tuple[float, ...]) -> None:
    found = verdict(side(*scores), side(*scores))
    assert (found.state, found.reason) == ("none", "")


def test_a_loss_beyond_its_interval_stops() -> None:
    found = verdict(side(*[1.0] * 10, *[0.0] * 10), side(*[1.0] * 20))
    assert found.state == "fail"
    assert found.reason.startswith("nDCG@10 of vector search fell from 1.000 by 50.0% (difference -0.700 to -0.300)")
    assert "(and 8 more)" in found.reason


def test_a_loss_that_chance_explains_stops_nothing() -> None:
    assert verdict(side(*[1.0] * 18, 0.0, 0.0), side(*[1.0] * 20)).state == "none"


def test_a_loss_that_the_limit_allows_warns() -> None:
    found = verdict(side(*[0.97] * 20), side(*[1.0] * 20), max_regression=0.05)
    assert found.state == "warn"
    assert "evaluation.max_regression allows 5%" in found.reason
    assert verdict(side(*[0.97] * 20), side(*[1.0] * 20), max_regression=0.02).state == "fail"


def test_no_loss_beyond_its_interval_is_allowed_unless_the_corpus_file_says_so() -> None:
    found = verdict(side(*[0.99] * 20), side(*[1.0] * 20))
    assert (found.state, found.reason.partition("; ")[2].partition(" (")[0]) == (
        "fail",
        "evaluation.max_regression allows 0%",
    )


def test_one_question_that_gains_may_not_hide_what_others_lose() -> None:
    live = side(*[1.0] * 30, 0.0)
    assert verdict(side(*[0.7] * 30, 1.0), live).state == "fail"


def test_too_few_questions_warn_of_a_loss() -> None:
    found = verdict(side(0.0, 0.0, 0.0), side(1.0, 1.0, 1.0))
    assert found.state == "warn"
    assert found.reason.endswith("3 questions are too few to stop a version by")


def test_the_floor_is_about_the_search_that_people_use() -> None:
    low, high = side(*[0.5] * 6), side(*[0.9] * 6)
    assert verdict(low, None, floor={"ndcg": 0.6}).state == "fail"
    assert verdict({**high, "vector": low["vector"]}, None, floor={"ndcg": 0.6}).state == "none"
    assert verdict(side(*[0.5] * 6, modes=("vector",)), None, floor={"ndcg": 0.6}).state == "none"


def test_figures_name_both_sides() -> None:
    figures = verdict(side(*[0.5] * 6), side(*[0.5] * 6)).figures
    assert (figures["questions"], figures["hybrid_ndcg"], figures["hybrid_ndcg_live"]) == (6.0, 0.5, 0.5)


def test_only_pairs_are_compared() -> None:
    compared = compare(side(1.0, 0.0), side(1.0, 1.0), pairs=[0])
    assert {each.difference.mean for each in compared if each.difference} == {0.0}
    assert {each.candidate.mean for each in compared} == {0.5}
