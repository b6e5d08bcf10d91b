"""The drift report: bounded evidence, a page that says what to look at, and text that stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from stages.drift.sides_of import manifest, sample, side

from nightjar.flows.drift_report import Report, report
from nightjar.stages.drift import Planned, compare
from nightjar.stages.drift.page import render_drift

HOSTILE = "</title></style><script>document.title='pwned'</script><img src=x onerror=alert(1)><svg onload=alert(1)>"


def reported(
    night: list[dict[str, object]],
    *,
    live: Sequence[dict[str, object]] = sample(range(60)),
    hostile: str = "",
    state: str = "warn",
) -> Report:
    sides, manifests = (side(live), side(night)), (manifest(live), manifest(night))
    found = compare(*sides, manifests=manifests, planned=Planned(), max_tokens=256)
    figures = {each.detector: each.value for each in found.findings}
    past = [
        {"version": number, "state": "none", "figures": figures, "thresholds": dict.fromkeys(figures, 0.1)}
        for number in (1, 2)
    ]
    verdict = {"state": state, "reason": f"{found.reason}{hostile}", "figures": figures, "thresholds": figures}
    names = ("uri", "failure_code", "failure_reason")
    aside = pa.table({name: [f"s3://documents/{hostile}"] * bool(hostile) for name in names})
    about = {"corpus": f"handbook{hostile}", "version": 3, "live": 2, **verdict}
    return report(about, found, sides=sides, manifests=manifests, aside=aside, history=past)


def new_topic(**changed: object) -> list[dict[str, object]]:
    return [*sample(range(60)), *(row | changed for row in sample(range(8), topic=1))]


@pytest.fixture(scope="module")
def values() -> Mapping[str, Any]:
    made = reported(new_topic())
    loaded: Mapping[str, Any] = json.loads(made.as_json)
    return loaded


def test_the_cluster_that_grew_most_is_what_was_new(values: Mapping[str, Any]) -> None:
    first = values["clusters"][0]
    assert first["before"] < 0.02
    assert first["after"] > 0.08
    assert first["lift"] > 5
    assert all(uri.startswith("s3://documents/1/") for uri in first["documents"])
    assert first["terms"]
    assert first["excerpts"]


def test_a_cluster_that_shrank_names_the_documents_that_left_or_changed() -> None:
    live = [*sample(range(60)), *sample(range(12), topic=1)]
    made = reported([*sample(range(60)), *sample(range(4), topic=1)], live=live)
    shrunk = made.values["clusters"][0]
    assert shrunk["after"] < shrunk["before"]
    assert len(shrunk["gone"]) == 3
    assert set(shrunk["gone"]) <= {f"s3://documents/1/{number}.txt" for number in range(4, 12)}
    assert hrefs(made.page).count(shrunk["gone"][0]) == 1
    assert made.page.count("left or changed: <") >= 3


def test_a_cluster_that_grew_names_none_that_left(values: Mapping[str, Any]) -> None:
    assert values["clusters"][0]["gone"] == []


def test_documents_that_brought_it_are_named_by_their_source(values: Mapping[str, Any]) -> None:
    assert {each["source_uri"] for each in values["documents"]} == {f"s3://documents/1/{n}.txt" for n in range(8)}
    assert all(each["novel"] > 0 for each in values["documents"])


def test_a_night_of_vectors_that_are_no_numbers_is_told_too() -> None:
    night = [row | {"vector": np.full(32, np.nan, np.float32)} for row in sample(range(8))]
    made = reported([*sample(range(8, 60)), *night], state="fail")
    states = {each["detector"]: each["state"] for each in json.loads(made.as_json)["detectors"]}
    assert states["finite"] == states["norm"] == "fail"
    assert "numbers in vectors are not finite" in made.page


def brought(night: list[dict[str, object]]) -> list[tuple[str, list[str]]]:
    """Source and detectors of the documents of a report, in its order."""
    documents = json.loads(reported(night).as_json)["documents"]
    return [(each["source_uri"].removeprefix("s3://documents/"), each["moved"]) for each in documents]


def changed(numbers: range, **columns: object) -> list[dict[str, object]]:
    return [row | {"content_key": f"{row['content_key']}!"} | columns for row in sample(numbers)]


def test_documents_with_the_boilerplate_come_before_new_ones_without_it() -> None:
    banner = [
        row | {"text": f"We value your privacy, accept all cookies. {row['text']}"} for row in changed(range(30, 36))
    ]
    told = brought([*sample(range(30)), *banner, *sample(range(36, 70))])
    assert [uri for uri, _ in told[:6]] == [f"0/{number}.txt" for number in range(30, 36)]
    assert all("phrase" in moved for _, moved in told[:6])
    assert len(told) == 16


def test_documents_in_the_new_language_come_before_new_ones_without_it() -> None:
    told = brought([*sample(range(30)), *changed(range(30, 36), language="deu"), *sample(range(36, 70))])
    assert {uri for uri, moved in told if "languages" in moved} == {f"0/{number}.txt" for number in range(30, 36)}
    assert all("languages" in moved for _, moved in told[:6])


def test_documents_that_break_off_come_first() -> None:
    cut = [row | {"text": str(row["text"])[:-4]} if row["ordinal"] == 3 else row for row in changed(range(30, 36))]
    told = brought([*sample(range(30)), *cut, *sample(range(36, 70))])
    assert [uri for uri, moved in told if "cut" in moved] == [uri for uri, _ in told[:6]]


def test_what_fails_comes_before_what_only_warns() -> None:
    misread = [row | {"text": str(row["text"]).replace("e", "\ufffd")} for row in changed(range(30, 34))]
    told = brought([*sample(range(30)), *misread, *sample(range(34, 60)), *new_topic()[-32:]])
    assert [uri for uri, _ in told[:4]] == [f"0/{number}.txt" for number in range(30, 34)]
    assert told[4][0].startswith("1/")


def test_the_page_says_of_each_document_which_detectors_it_moved() -> None:
    misread = [row | {"text": str(row["text"]).replace("e", "\ufffd")} for row in changed(range(30, 34))]
    made = reported([*sample(range(30)), *misread, *sample(range(34, 62))])
    documents = made.values["documents"]
    assert {", ".join(each["moved"]) for each in documents} >= {"", "replaced"}
    for each in documents:
        row = made.page[made.page.index(f">{each['source_uri']}</a></td>") :]
        assert row.split("</td>")[2] == f'<td data-head="moved">{", ".join(each["moved"])}'


def test_evidence_is_bounded() -> None:
    night = sample(range(60, 160)) + [row | {"text": "word " * 50_000} for row in sample(range(3), topic=2)]
    assert len(reported(night).as_json) < 100_000


def test_a_night_that_touches_nothing_is_told_without_clusters() -> None:
    made = reported(sample(range(60)), state="none")
    assert made.values["clusters"] == []
    assert "Nothing moved beyond what a quiet night moves." in made.page


def test_there_are_no_more_clusters_than_distinct_vectors() -> None:
    first, second = (row["vector"] for row in sample(range(2), chunks=1))
    live = [row | {"vector": first} for row in sample(range(60))]
    night = [*live, *(row | {"vector": second} for row in sample(range(8), topic=1))]
    told = reported(night, live=live).values["clusters"]
    assert len(told) == 2
    assert {each["before"] for each in told} == {0.0, 1.0}


def test_the_page_says_verdict_what_moved_and_where_to_look() -> None:
    page = reported(new_topic()).page
    assert '<span class="warn">warn</span>' in page
    assert page.index("What moved") < page.index("Look at") < page.index("Detectors")
    assert "s3://documents/1/" in page
    assert page.count("<svg") > 5


def test_a_detector_whose_figures_are_all_0_has_its_history_drawn() -> None:
    made = reported(sample(range(60)), state="none")
    assert {each["value"] for each in made.values["detectors"] if each["detector"] == "finite"} == {0.0}
    assert made.page.count("over the last versions, with its threshold") == len(made.values["detectors"])


def test_a_report_of_an_earlier_release_is_drawn_again() -> None:
    told = {name: value for name, value in reported(new_topic()).values.items() if name != "set_aside"}
    told["clusters"] = [{name: value for name, value in each.items() if name != "gone"} for each in told["clusters"]]
    assert "What moved" in render_drift(told, None)


def test_no_word_of_a_document_becomes_markup() -> None:
    night = new_topic(
        title=HOSTILE, source_uri=f"s3://documents/{HOSTILE}", text=f"{HOSTILE} {HOSTILE}", language=HOSTILE
    )
    page = reported(night, hostile=HOSTILE).page
    assert "<script" not in page
    assert "<img" not in page
    assert "<svg onload" not in page
    assert page.count("</title>") == page.count("</style>") == 1
    page.encode()


def test_the_page_loads_nothing_from_elsewhere() -> None:
    page = reported(new_topic()).page
    assert re.findall(r"<(?:link|script|img|iframe|object)|@import|url\(|https?://|\ssrc=", page) == []


def test_each_document_is_linked_to_its_source() -> None:
    made = reported(new_topic())
    sources = {each["source_uri"] for each in made.values["documents"]}
    clustered = {uri for each in made.values["clusters"] for uri in (*each["documents"], *each["gone"])}
    assert set(hrefs(made.page)) == sources | clustered
    look = made.page[made.page.index("Look at") : made.page.index("Detectors")]
    assert set(hrefs(look)) <= sources
    assert len(hrefs(look)) == 3


@pytest.mark.parametrize(
    ("uri", "linked"),
    [
        ("s3://b/<script>a</script>", True),
        ("""https://b/" onclick="a()'&amp;""", True),
        ("s3://b/a\nb", False),
        ("javascript:a()//", False),
    ],
)
def test_only_a_documents_own_source_is_linked(uri: str, *, linked: bool) -> None:
    page = reported(new_topic(source_uri=uri)).page
    own = {row["source_uri"] for row in sample(range(60))}
    assert set(hrefs(page)) <= {uri, *own}
    assert (uri in hrefs(page)) is linked
    assert re.findall(r"<script|\sonclick=\"", page) == []


def hrefs(page: str) -> list[str]:
    """Targets of the page's links, as a browser reads them."""
    found = re.findall(r'\shref="([^"]*)"', page)
    assert page.count("<a ") == page.count('" rel="noreferrer">') == len(found)
    return [unescape(each) for each in found]
