"""Hostile text in reports, opened in a real browser: nothing runs, nothing is asked for, nothing is pushed aside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from stages.drift.test_page import new_topic, reported
from stages.evaluation.test_evaluation_page import made
from stages.test_quality_page import report
from ui.browser import CHROMIUM, DESKTOP, PHONE, Browser

from nightjar.stages.evaluation.page import render_evaluation
from nightjar.stages.page import Html, page, tag
from nightjar.stages.quality_page import render_quality

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no Chromium on PATH, hostile text was opened in no browser: `apt install chromium` brings it",
    ),
]

RUN: Final = "document.title='pwned'"
ELSEWHERE: Final = "http://127.0.0.1:9/"
SCRIPTS: Final = f'<script>{RUN}</script><img src="{ELSEWHERE}a.png" onerror="{RUN}"><svg onload="{RUN}"></svg>'
HOSTILE: Final = " ".join(
    (
        f"</title></style></textarea>{SCRIPTS}",
        f"""\"'><body onload="{RUN}" onpageshow="{RUN}"><details open ontoggle="{RUN}">""",
        f"' autofocus onfocus={RUN} x=' \" style=\"background:url({ELSEWHERE}b.png)",
        f'<a href="javascript:{RUN}">look</a><iframe srcdoc="&lt;script&gt;top.{RUN}&lt;/script&gt;"></iframe>',
        f"<link rel=stylesheet href={ELSEWHERE}c.css><style>@import url({ELSEWHERE}d.css);</style>",
        f'<base href="{ELSEWHERE}"><meta http-equiv=refresh content="0;url={ELSEWHERE}e"><!-- --!> ]]> &lt;b&gt;',
        "\u202etxt.exe\u2067 \u200f\ufeff \x00",
        "W" * 3000,
    )
)
PRINTABLE: Final = "".join(filter(str.isprintable, HOSTILE))
SOURCE: Final = re.compile(r"s3://documents/\d+/\d+\.txt")
ACTIVE: Final = """
[...document.querySelectorAll('body *')].filter(each => each.localName !== 'a').flatMap(each =>
  [each.localName, ...each.getAttributeNames()]).filter(name =>
  /^(on.*|href|src|srcdoc|style|action|script|img|iframe|base|link|meta|form|details|body)$/.test(name))
"""
SCROLLING: Final = """
[...document.querySelectorAll('.wide')].filter(each =>
  each.scrollWidth > each.clientWidth).map(each => each.textContent)
"""
LINKS: Final = """
[...document.querySelectorAll('a')].map(each =>
  [each.getAttribute('href'), each.protocol, each.textContent, each.getAttributeNames().join(' ')])
"""
PAGE_NUMBERS: Final = """(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), ordered = [];
  const left = (node, place) => {
    const range = document.createRange();
    range.setStart(node, place); range.setEnd(node, place + 1);
    return range.getBoundingClientRect().left;
  };
  while (texts.nextNode()) {
    const node = texts.currentNode, place = node.data.indexOf('page 2');
    if (place >= 0) ordered.push(left(node, place) < left(node, place + 5));
  }
  return ordered;
})()"""


def drift(hostile: str) -> str:
    return reported(
        new_topic(title=hostile, source_uri=f"s3://documents/{hostile}", text=f"{hostile} {hostile}"), hostile=hostile
    ).page


def evaluation(hostile: str) -> str:
    return render_evaluation(made(text=hostile))


def quality(hostile: str) -> str:
    row = {"uri": hostile, "failure_stage": hostile, "failure_code": hostile, "failure_reason": hostile}
    return render_quality(report(corpus=hostile, reason=hostile, codes={hostile: 1}, quarantined=[row]))


PAGES = pytest.mark.parametrize("drawn", [drift, evaluation, quality])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@PAGES
@pytest.mark.parametrize("policy", [True, False], ids=["policy", "no policy"])
@pytest.mark.parametrize("hostile", [HOSTILE, PRINTABLE], ids=["hostile", "printable"])
def test_hostile_words_of_documents_run_and_load_nothing(
    browser: Browser, drawn: Callable[[str], str], hostile: str, *, policy: bool
) -> None:
    browser.open(drawn(hostile), policy=policy)
    assert not browser.evaluate("document.title").startswith("pwned")
    assert browser.evaluate(ACTIVE) == []
    assert browser.requests == []


@pytest.mark.parametrize(("drawn", "place"), [(drift, "s3://documents/"), (evaluation, "s3://b/")])
@pytest.mark.parametrize("hostile", [HOSTILE, PRINTABLE], ids=["hostile", "printable"])
def test_links_lead_to_sources_of_documents_alone(
    browser: Browser, drawn: Callable[[str], str], place: str, hostile: str
) -> None:
    browser.open(drawn(hostile))
    found = browser.evaluate(LINKS)
    source = f"{place}{hostile}"
    assert all(href == shown == source or SOURCE.fullmatch(href) for href, _, shown, _ in found)
    assert {(protocol, names) for _, protocol, _, names in found} <= {("s3:", "href rel")}
    assert (source in {href for href, *_ in found}) is hostile.isprintable()


def test_what_would_run_and_load_is_noticed(browser: Browser) -> None:
    browser.open(page("a page", Html(SCRIPTS)), policy=False)
    assert browser.evaluate("document.title") == "pwned"
    assert {"script", "img", "onload", "onerror", "src"} <= set(browser.evaluate(ACTIVE))
    assert browser.requests == [f"{ELSEWHERE}a.png"]


def test_even_a_forgotten_escape_runs_and_loads_nothing(browser: Browser) -> None:
    browser.open(page("a page", Html(SCRIPTS), tag("p", "text")))
    assert browser.evaluate("document.title") == "a page"
    assert browser.requests == []


@PAGES
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_no_word_makes_a_page_scroll_sideways(browser: Browser, drawn: Callable[[str], str], width: int) -> None:
    browser.open(drawn(HOSTILE), width=width)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@PAGES
def test_a_phone_shows_tables_without_scrolling_them(browser: Browser, drawn: Callable[[str], str]) -> None:
    browser.open(drawn("words"), width=PHONE)
    assert browser.evaluate(SCROLLING) == []


def test_a_page_that_scrolls_sideways_is_noticed(browser: Browser) -> None:
    browser.open(page("a page", tag("pre", "W" * 3000)), width=PHONE)
    assert browser.evaluate("document.documentElement.scrollWidth") > PHONE


def test_a_name_written_from_right_to_left_turns_no_word_of_the_report_around(browser: Browser) -> None:
    browser.open(evaluation("\u202egpj.txt"))
    found = browser.evaluate(PAGE_NUMBERS)
    assert len(found) > 6
    assert all(found)
