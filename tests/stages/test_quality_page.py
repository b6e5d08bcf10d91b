import re
from typing import Any

import pytest

from nightjar.stages.quality_page import render_quality


def report(**changed: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "format": 1,
        "state": "warn",
        "reason": "60 of 300 documents could not be read",
        "figures": {"documents": 300.0, "failed_served": 0.0},
        "codes": {"encrypted": 2, "corrupt": 58},
        "repeats": {"exact": 3, "near": 1},
        "quarantined": [
            {
                "uri": "s3://documents/a.pdf",
                "failure_stage": "parse",
                "failure_code": "encrypted",
                "failure_reason": "It is encrypted.",
            }
        ],
    }
    return plain | changed


def test_the_page_says_verdict_and_reason() -> None:
    page = render_quality(report())
    assert '<span class="warn">warn</span>' in page
    assert "60 of 300 documents could not be read" in page


def test_the_page_lists_what_was_set_aside() -> None:
    page = render_quality(report())
    cells = ["s3://documents/a.pdf", "parse", "encrypted", "It is encrypted."]
    assert "".join(f">{cell}</td>" for cell in cells) in re.sub("<td [^>]*", "", page)
    assert "And 59 more" in page


def test_the_commonest_code_comes_first() -> None:
    page = render_quality(report())
    assert page.index("corrupt") < page.index("encrypted")


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>', "a&b", "\ud800<"])
def test_every_word_is_escaped(hostile: str) -> None:
    row = {"uri": hostile, "failure_stage": hostile, "failure_code": hostile, "failure_reason": hostile}
    page = render_quality(report(corpus=hostile, reason=hostile, codes={hostile: 1}, quarantined=[row]))
    assert "<script" not in page
    assert "<img" not in page
    page.encode()


def test_the_page_loads_nothing_from_elsewhere() -> None:
    assert re.findall(r"<(?:link|script|img|iframe)|@import|url\(|https?://", render_quality(report())) == []


def test_the_page_knows_the_dark() -> None:
    assert "prefers-color-scheme: dark" in render_quality(report())


def test_an_empty_report_says_none() -> None:
    page = render_quality(report(state="pass", reason="", codes={}, quarantined=[]))
    assert page.count("<p>None.</p>") == 2
    assert "Nothing to object." in page


def test_the_page_counts_metadata_values_that_were_not_taken() -> None:
    tally = [{"field": "year", "why": "is not a whole number", "values": 12}, {"field": "", "why": "", "values": 3}]
    page = re.sub("<td [^>]*", "", render_quality(report(set_aside=tally)))
    assert "Metadata values set aside" in page
    assert ">year</td>>is not a whole number</td>>12</td>" in page
    assert ">others</td>" in page


def test_a_report_of_an_earlier_release_has_no_such_table() -> None:
    assert "Metadata values" not in render_quality(report())
