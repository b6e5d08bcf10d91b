"""The page says what a person needs, and nothing in it does anything."""

from __future__ import annotations

import re
from typing import Any

import pytest

from nightjar.corpus.policy import Evaluation
from nightjar.corpus.questions import GoldenQuestion, Relevant
from nightjar.model import DocumentId
from nightjar.stages.evaluation.answers import Found, Known
from nightjar.stages.evaluation.comparison import MODES, Scored, Side, compare
from nightjar.stages.evaluation.page import render_evaluation
from nightjar.stages.evaluation.report import About, Evidence, report
from nightjar.stages.evaluation.verdict import judge

LIMITS = Evaluation(questions="x.jsonl", floor={"recall": 0.8})


def side(*scores: float, text: str) -> Side:
    found = (Found("d", f"s3://b/{text}", text, 2, text, relevant=True),)
    return {mode: tuple(Scored(dict.fromkeys(("recall", "mrr", "ndcg"), s), found) for s in scores) for mode in MODES}


def made(*, text: str = "Thirty days.", live: bool = True) -> dict[str, Any]:
    questions = tuple(
        GoldenQuestion(f"{text} {n}", (Relevant(DocumentId("d"), text, 2, text),), n) for n in range(1, 7)
    )
    now = side(0.0, 0.0, 0.0, 1.0, 1.0, 0.5, text=text)
    before = side(1.0, 1.0, 1.0, 1.0, 1.0, 0.1, text=text) if live else None
    compared = compare(now, before, pairs=range(6))
    verdict = judge(compared, questions=6, pairs=6, limits=LIMITS)
    about = About(text, 3, 2 if live else None, "index", "0" * 16, "2026-01-01T02:00:00+00:00")
    evidence = Evidence(Known(questions, ((9, text),)), range(6), now, before, compared, verdict)
    past = {"at": "2025-12-31", "version": 2, "state": "none", "figures": {"hybrid_ndcg": 0.9}}
    return {**report(about, evidence, limits=LIMITS), "trend": [past]}


def test_the_verdict_comes_first() -> None:
    page = render_evaluation(made())
    assert page.index("recall@10 of hybrid search is 0.417, below the floor of 0.8") < page.index("<h2>Measures")


def test_measures_stand_with_their_intervals_for_both_sides() -> None:
    page = render_evaluation(made())
    assert "<th>version 2</th><th>version 3</th>" in page
    assert re.search(r"<td>hybrid</td><td>nDCG@10</td><td>0\.850 \(0\.\d{3} to 1\.000\)</td><td>0\.417 ", page)


def test_the_worst_question_comes_first_with_what_it_found_before_and_now() -> None:
    page = render_evaluation(made())
    worse = page[page.index("Questions that got worse") :]
    assert worse.index("Thirty days. 1") < worse.index("Found in version 3") < worse.index("Found in version 2")
    assert "Questions that got better" in worse
    assert "Line 6, vector search: nDCG@10 from 0.100 to 0.500" in worse


def test_a_first_version_says_that_there_was_nothing_to_compare_with() -> None:
    told = made(live=False)
    page = render_evaluation({**told, "state": "none", "reason": ""})
    assert "there was nothing to compare with" in page
    assert "Questions that got worse" not in page
    assert "Questions that found nothing wanted" in page


def test_the_trend_is_drawn() -> None:
    assert '<polyline points="0.0,8.0 600.0,46.7"' in render_evaluation(made())


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=a()>', "a&b", "\ud800<"])
def test_hostile_text_is_escaped_everywhere(hostile: str) -> None:
    page = render_evaluation(made(text=hostile))
    assert re.findall(r"<script|<img", page) == []
    page.encode()


def test_the_page_loads_nothing_from_elsewhere() -> None:
    assert re.findall(r"<(?:link|script|img|iframe)|@import|url\(|https?://", render_evaluation(made())) == []
