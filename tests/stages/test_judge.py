from dataclasses import replace

import pytest

from nightjar.corpus import Quality
from nightjar.stages.judge import Tally, judge

CALM = Tally(documents=1000, searchable=1000, served=1000, rejected=0, failed=0, failed_served=0, repeated=0)
FIRST = Tally(documents=300, searchable=240, served=0, rejected=0, failed=60, failed_served=0, repeated=0)


def state(tally: Tally) -> str:
    return judge(tally, limits=Quality()).state


def test_a_calm_night_passes_with_its_figures() -> None:
    verdict = judge(CALM, limits=Quality())
    assert (verdict.state, verdict.reason, verdict.figures["documents"]) == ("pass", "", 1000)


@pytest.mark.parametrize(
    ("documents", "rejected", "expected"),
    [(14, 2, "pass"), (14, 10, "pass"), (14, 11, "fail"), (1000, 50, "pass"), (1000, 51, "fail"), (100, 11, "fail")],
)
def test_rejections_stop_a_version_above_the_share_and_the_allowance(
    documents: int, rejected: int, expected: str
) -> None:
    assert state(replace(CALM, documents=documents, searchable=documents, rejected=rejected)) == expected


@pytest.mark.parametrize(("failed", "expected"), [(10, "pass"), (50, "pass"), (51, "fail")])
def test_served_documents_that_fail_stop_a_version(failed: int, expected: str) -> None:
    assert state(replace(CALM, failed=failed, failed_served=failed)) == expected


def test_new_documents_that_fail_are_shown_and_stop_nothing() -> None:
    verdict = judge(FIRST, limits=Quality())
    assert verdict.state == "warn"
    assert verdict.reason == "60 of 300 documents could not be read; they are in quarantine"


def test_the_demo_goes_live_without_its_encrypted_and_its_empty_file() -> None:
    tally = Tally(documents=16, searchable=14, served=0, rejected=0, failed=2, failed_served=0, repeated=0)
    assert state(tally) == "pass"


def test_a_night_that_could_read_nothing_fails() -> None:
    verdict = judge(replace(FIRST, searchable=0, failed=300), limits=Quality())
    assert (verdict.state, verdict.reason) == ("fail", "none of 300 documents could be made searchable")


def test_an_empty_corpus_passes() -> None:
    assert state(Tally(0, 0, 0, 0, 0, 0, 0)) == "pass"


@pytest.mark.parametrize(("repeated", "expected"), [(500, "pass"), (501, "fail")])
def test_too_many_repeats_stop_a_version(repeated: int, expected: str) -> None:
    assert state(replace(CALM, repeated=repeated)) == expected


def test_the_reason_names_the_key_and_its_limit() -> None:
    verdict = judge(replace(CALM, rejected=80), limits=Quality())
    assert verdict.reason == (
        "80 of 1000 documents were set aside by quality rules; quality.max_rejected_share allows 5%"
    )


def test_the_corpus_file_says_where_the_line_is() -> None:
    limits = Quality(allowance=0, max_rejected_share=0.5)
    assert judge(replace(CALM, documents=2, searchable=2, rejected=1), limits=limits).state == "pass"
