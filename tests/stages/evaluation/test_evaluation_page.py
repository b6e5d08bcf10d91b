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


def made(*, text: str = "Thirty days.", live: bool = True, times: int = 1) -> dict[str, Any]:
    """Of six questions three get worse, and one better; `times` as many."""
    count = 6 * times
    questions = tuple(
        GoldenQuestion(f"{text} {n}", (Relevant(DocumentId("d"), text, 2, text),), n) for n in range(1, count + 1)
    )
    now = side(*(0.0, 0.0, 0.0, 1.0, 1.0, 0.5) * times, text=text)
    before = side(*(1.0, 1.0, 1.0, 1.0, 1.0, 0.1) * times, text=text) if live else None
    compared = compare(now, before, pairs=range(count))
    verdict = judge(compared, questions=count, pairs=count, limits=LIMITS)
    about = About(text, 3, 2 if live else None, "index", "0" * 16, "2026-01-01T02:00:00+00:00")
    evidence = Evidence(Known(questions, ((9, text),)), range(count), now, before, compared, verdict)
    past = {"at": "2025-12-31", "version": 2, "state": "none", "figures": {"hybrid_ndcg": 0.9}}
    return {**report(about, evidence, limits=LIMITS), "trend": [past]}


def test_the_verdict_comes_first() -> None:
    page = render_evaluation(made())
    assert page.index("recall@10 of hybrid search is 0.417, below the floor of 0.8") < page.index("<h2>Measures")


def test_measures_stand_with_their_intervals_for_both_sides() -> None:
    page = render_evaluation(made())
    assert "<th>version 2</th><th>version 3</th>" in page
    row = page[page.index('nDCG@10<div class="soft">hybrid<') :]
    figures = re.findall(r'>([+-]?\d\.\d{3})(?:</span>)?<div class="soft">([+-]?\d\.\d{3} to [+-]?\d\.\d{3})<', row)
    assert [mean for mean, _ in figures[:3]] == ["0.850", "0.417", "-0.433"]
    assert figures[0][1].endswith(" to 1.000")


def test_a_floor_stands_below_the_measure_that_it_is_of_and_a_missed_one_is_red() -> None:
    page = render_evaluation(made())
    assert page.count("floor 0.8<") == 1
    assert page.index(">hybrid<") < page.index('<div class="fail">floor 0.8</div>') < page.index("<h2>Questions")


def test_the_worst_question_comes_first_with_what_it_found_before_and_now() -> None:
    page = render_evaluation(made())
    worse = page[page.index("Questions that got worse") :]
    assert worse.index("Thirty days. 1") < worse.index("Version 2 found") < worse.index("Version 3 found")
    assert "Questions that got better" in worse
    assert "Line 6, vector search: nDCG@10 from 0.100 to 0.500" in worse


def test_a_first_version_says_that_there_was_nothing_to_compare_with() -> None:
    told = made(live=False)
    page = render_evaluation({**told, "state": "none", "reason": ""})
    assert "there was nothing to compare with" in page
    assert "Questions that got worse" not in page
    assert "Other questions that found nothing wanted" in page


def test_a_question_that_got_worse_is_not_told_twice() -> None:
    told = made()
    assert [each["line"] for each in told["worse"]] == [1, 2, 3]
    assert told["missed"] == []
    assert [each["line"] for each in made(live=False)["missed"]] == [1, 2, 3]


@pytest.mark.parametrize(("name", "live", "total"), [("worse", True, 36), ("better", True, 12), ("missed", False, 36)])
def test_ten_questions_of_a_kind_are_shown_and_all_are_counted(name: str, *, live: bool, total: int) -> None:
    told = made(times=12, live=live)
    assert (len(told[name]), told[f"{name}_count"]) == (10, total)
    assert f'<p class="soft">And {total - 10} more, {total} in all.</p>' in render_evaluation(told)


def test_where_all_are_shown_no_more_are_told_and_reports_without_counts_are_drawn() -> None:
    told = made()
    assert (told["worse_count"], told["better_count"], told["missed_count"]) == (3, 1, 0)
    counted = {f"{name}_count" for name in ("worse", "better", "missed")}
    older = {name: value for name, value in told.items() if name not in counted}
    assert "in all." not in render_evaluation(told)
    assert render_evaluation(older) == render_evaluation(told)


def trend(told: dict[str, Any]) -> str:
    page = render_evaluation(told)
    return page[page.index("<svg") : page.index("</svg>")]


def test_the_trend_is_drawn_from_nothing_upwards_and_says_of_which_versions() -> None:
    drawn = trend(made())
    assert "nDCG@10 of hybrid search over the last 2 evaluations, from version 2 to 3" in drawn
    assert sorted(re.findall(r"<text [^>]*>([^<]+)</text>", drawn)) == ["0", "0.9", "2", "3"]


def test_a_version_that_was_scored_again_and_again_has_a_place_for_each_time() -> None:
    told = made()
    again = {**told["trend"][0], "version": told["version"]}
    [line] = re.findall(r' d="([^"]+)"', trend({**told, "trend": [again] * 4}))
    assert len(set(re.findall(r"[ML] ([\d.]+) ", line))) == 5


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=a()>', "a&b", "\ud800<"])
def test_hostile_text_is_escaped_everywhere(hostile: str) -> None:
    page = render_evaluation(made(text=hostile))
    assert re.findall(r"<script|<img", page) == []
    page.encode()


def test_what_was_found_is_linked_to_its_source() -> None:
    page = render_evaluation(made(text="a&b"))
    assert set(re.findall(r' href="([^"]*)"', page)) == {"s3://b/a&amp;b"}
    assert '<bdi><a href="s3://b/a&amp;b" rel="noreferrer">s3://b/a&amp;b</a></bdi>, page 2' in page


def test_the_page_loads_nothing_from_elsewhere() -> None:
    assert re.findall(r"<(?:link|script|img|iframe)|@import|url\(|https?://", render_evaluation(made())) == []
