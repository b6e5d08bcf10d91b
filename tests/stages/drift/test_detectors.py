"""Each detector sees what is planted for it, and stays quiet where documents only come and go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from stages.drift.sides_of import manifest, sample, side

from nightjar.stages.drift import Judgement, Planned, canary, canary_texts, compare, newly_set_aside, set_aside
from nightjar.stages.drift.contract import contract

LIVE = sample(range(100))
QUIET = sample(range(5, 105))
Rows = list[dict[str, object]]


def judged(night: Rows, live: Rows = LIVE, planned: Planned | None = None) -> Judgement:
    manifests = manifest(live), manifest(night)
    return compare(side(live), side(night), manifests=manifests, planned=planned or Planned(), max_tokens=256)


def spoke(found: Judgement) -> set[str]:
    return {finding.detector for finding in found.findings if finding.state != "none"}


def damaged(change: Callable[[str], str], documents: int = 10) -> Rows:
    """Documents 5 to 14 of the quiet night say something else."""
    hit = {f"0-{number:05d}" for number in range(5, 5 + documents)}
    return [
        row | {"text": change(str(row["text"])), "content_key": f"{row['content_key']}!"}
        if row["document_id"] in hit
        else row
        for row in QUIET
    ]


def misread(text: str) -> str:
    return text.replace("e", "é").encode().decode("latin-1")


def test_a_quiet_night_moves_nothing() -> None:
    found = judged(QUIET)
    assert (found.state, found.reason, found.notes) == ("none", "", ())
    assert (found.turnover.removed, found.turnover.added) == (5, 5)


@pytest.mark.parametrize("seed", range(20))
def test_nights_of_other_documents_of_the_same_kind_are_quiet(seed: int) -> None:
    replaced = seed % 10
    night = sample([*range(replaced, 100), *range(200 + 10 * seed, 200 + 10 * seed + replaced)])
    assert judged(night).state == "none"


@pytest.mark.parametrize(
    ("detector", "change"),
    [
        ("mojibake", misread),
        ("replaced", lambda text: text.replace("e", "\ufffd")),
        ("unfinished", lambda text: text[:30]),
        ("phrase", lambda text: f"We value your privacy, accept all cookies. {text}"),
        ("empty", lambda _text: "1."),
    ],
)
def test_damage_in_a_tenth_of_the_documents_fails(detector: str, change: Callable[[str], str]) -> None:
    found = judged(damaged(change))
    assert found.state == "fail"
    assert detector in spoke(found)


def test_short_passages_alone_warn() -> None:
    found = judged(damaged(lambda text: f"{text[:30]}."))
    assert (found.state, spoke(found)) == ("warn", {"short"})


def test_one_damaged_document_in_a_hundred_stops_nothing() -> None:
    assert judged(damaged(misread, documents=1)).state == "none"


def test_a_crowd_of_tiny_unfinished_documents_is_weighed_by_its_passages() -> None:
    live = sample(range(60), chunks=20)
    crowd = [row | {"text": str(row["text"]).rstrip(".")} for row in sample(range(300, 330), chunks=1)]
    assert "unfinished" not in spoke(judged([*live, *crowd], live))


def halved(rows: Rows, chunks: int) -> Rows:
    """As files of which the first half of the passages is left, and half of the last of these."""
    left = [row for row in rows if int(str(row["ordinal"])) < chunks // 2]
    return [
        row | {"content_key": f"{row['content_key']}!"} | ({"text": text[: len(text) // 2]} if is_last else {})
        for row in left
        for text, is_last in [(str(row["text"]), row["ordinal"] == chunks // 2 - 1)]
    ]


@pytest.mark.parametrize("chunks", [2, 4, 8])
@pytest.mark.parametrize("cut", [sample(range(5, 15)), sample(range(200, 210))], ids=["known", "new"])
def test_files_that_end_at_half_fail_whatever_their_length(cut: Rows, chunks: int) -> None:
    numbers = sorted({str(row["document_id"]) for row in cut})
    hurt = halved(sample([int(number[2:]) for number in numbers], chunks=chunks), chunks)
    found = judged([*sample(range(15, 105), chunks=chunks), *hurt], sample(range(100), chunks=chunks))
    assert found.state == "fail"
    assert "cut" in spoke(found)
    assert "break off in the middle of a sentence rose from 0% to" in found.reason


def test_cut_files_show_where_documents_that_broke_off_before_are_gone() -> None:
    lists = [row | {"text": str(row["text"]).rstrip(".")} for row in sample(range(100, 108))]
    found = judged([*halved(sample(range(5)), 4), *sample(range(5, 100))], [*sample(range(100)), *lists])
    assert (found.state, "cut" in spoke(found)) == ("fail", True)


def test_documents_of_a_kind_that_ends_without_a_full_stop_are_usual_where_they_were() -> None:
    tables = [row | {"text": str(row["text"]).rstrip(".")} for row in sample(range(0, 300, 3))]
    live = [*sample(range(1, 300, 3)), *tables[:-40]]
    night = [*sample(range(1, 300, 3)), *tables[40:]]
    assert "cut" not in spoke(judged(night, live))


def test_how_a_new_kind_of_document_ends_is_not_known() -> None:
    lists = [row | {"text": str(row["text"]).rstrip(".")} for row in sample(range(25), topic=1, chunks=1)]
    assert "cut" not in spoke(judged([*QUIET, *lists]))


def test_the_phrase_that_spread_is_quoted() -> None:
    found = judged(damaged(lambda text: f"We value your privacy and cookies, {text}"))
    assert "we value your privacy and cookies" in found.reason


def test_a_footer_of_every_page_does_not_hide_a_second() -> None:
    live = [row | {"text": f"{row['text']} Printed on the office printer of floor two."} for row in LIVE]
    night = [
        row | {"text": f"{row['text']} Printed on the office printer of floor two."}
        for row in damaged(lambda text: f"{text} Please log in to read on from here.")
    ]
    assert "phrase" in spoke(judged(night, live))


def test_a_new_topic_in_a_twentieth_of_the_passages_is_novel() -> None:
    found = judged([*QUIET, *sample(range(5), topic=1)])
    assert (found.state, "novelty" in spoke(found)) == ("warn", True)
    assert found.novelty is not None
    assert found.novelty.novel[-20:].mean() > 0.5
    assert found.novelty.novel[:-20].mean() < 0.05


def test_a_new_topic_in_a_fifth_moves_mean_and_spread() -> None:
    assert {"novelty", "centroid", "mmd"} <= spoke(judged([*QUIET, *sample(range(25), topic=1)]))


def test_a_renamed_document_is_not_novel() -> None:
    renamed = [row | {"document_id": f"9{row['document_id']}"} for row in LIVE]
    assert "novelty" not in spoke(judged(renamed))


@pytest.mark.parametrize(
    ("detector", "column", "value", "said"),
    [
        ("languages", "language", "deu", "language deu rose from 0% to 5%"),
        ("types", "media_type", "application/pdf", "type application/pdf rose from 0% to 5%"),
        ("sizes", "size", 5_000_000, "4 MiB to 16 MiB rose from 0% to 5%"),
    ],
)
def test_what_was_not_there_warns_at_a_twentieth(detector: str, column: str, value: object, said: str) -> None:
    night = [row | {column: value} if str(row["document_id"]) < "0-00010" else row for row in QUIET]
    found = judged(night)
    assert (found.state, spoke(found)) == ("warn", {detector})
    assert said in found.reason


def test_vectors_of_another_dimension_fail() -> None:
    night = [row | {"vector": np.asarray(row["vector"])[:16] * 2} for row in QUIET]
    found = judged(night)
    assert {"dimensions", "norm"} <= spoke(found)
    assert found.novelty is None


@pytest.mark.parametrize(
    ("detector", "change"),
    [
        ("norm", {"vector": np.full(32, 0.5, np.float32)}),
        ("truncation", {"token_count": 300}),
        ("finite", {"vector": np.full(32, np.nan, np.float32)}),
    ],
)
def test_a_broken_contract_fails_on_a_single_chunk(detector: str, change: dict[str, object]) -> None:
    found = contract(side([*QUIET[:-1], QUIET[-1] | change]), dimensions=32, max_tokens=256)
    assert detector in {finding.detector for finding in found if finding.state == "fail"}


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_fail_and_are_not_compared(number: float) -> None:
    found = judged([*QUIET[:-1], QUIET[-1] | {"vector": np.full(32, number, np.float32)}])
    assert found.state == "fail"
    assert spoke(found) == {"finite", "norm"}
    assert found.novelty is None


def test_a_live_version_of_vectors_that_are_no_numbers_is_not_compared_with() -> None:
    found = judged(QUIET, [*LIVE[:-1], LIVE[-1] | {"vector": np.full(32, np.nan, np.float32)}])
    assert (found.state, found.novelty) == ("none", None)
    assert "not finite" in found.notes[0]


def test_a_planned_model_may_have_another_dimension() -> None:
    found = contract(side(QUIET), dimensions=None, max_tokens=256)
    assert {finding.state for finding in found} == {"none"}


def test_other_chunk_rules_only_warn_of_what_is_counted_by_chunk() -> None:
    found = judged(damaged(lambda text: text[:30]), planned=Planned(chunks=True))
    assert found.state == "warn"
    assert "chunk rules were changed" in found.notes[0]


def test_a_corpus_of_twenty_documents_warns_at_most() -> None:
    live, night = sample(range(20)), damaged(misread, documents=3)[: 20 * 4]
    found = judged(night, live)
    assert found.state == "warn"
    assert "20 documents are too few" in found.reason


def test_a_corpus_of_nine_documents_judges_the_model_alone() -> None:
    found = judged(damaged(misread), sample(range(9)))
    assert {finding.detector for finding in found.findings} == {"dimensions", "finite", "norm", "truncation"}


def test_an_empty_candidate_is_not_compared() -> None:
    assert (
        compare(
            side(LIVE), side([]), manifests=(manifest(LIVE), manifest([])), planned=Planned(), max_tokens=256
        ).findings
        == ()
    )


VECTORS = np.eye(60, 64, dtype=np.float32)


def test_the_same_model_passes_its_canary_in_another_precision() -> None:
    noisy = VECTORS + 0.002 * np.random.default_rng(1).standard_normal(VECTORS.shape) / 8
    noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
    assert {finding.state for finding in canary(VECTORS, noisy.astype(np.float32))} == {"none"}


@pytest.mark.parametrize(
    "now",
    [np.roll(VECTORS, 1, axis=1), VECTORS * 3, VECTORS[:, :32], np.vstack([VECTORS[:-1], VECTORS[:1]])],
    ids=["other weights", "no normalisation", "other dimensions", "a single text"],
)
def test_another_model_fails_its_canary(now: np.ndarray) -> None:
    assert "fail" in {finding.state for finding in canary(VECTORS, now)}


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_canary_that_is_no_number_fails_with_figures_that_json_can_hold(number: float) -> None:
    broken = VECTORS.copy()
    broken[3, 5] = number
    for found in (canary(VECTORS, broken), canary(broken, VECTORS)):
        assert found[0].after == -1
        assert found[0].state == "fail"
        assert all(np.isfinite(finding.value) for finding in found)
    assert [finding.state for finding in canary(VECTORS, broken)] == ["fail", "fail"]


def test_there_are_canaries_of_many_kinds_and_none_twice() -> None:
    texts = canary_texts()
    assert len(texts) >= 50
    assert len(set(texts)) == len(texts)
    assert any("\n" in text for text in texts)


def quarantined(*codes: str, sound: int = 100, earlier: int = 0) -> pa.Table:
    """A manifest of sound documents, of some that were misread all along, and one with each of the codes."""
    failed: list[str | None] = [*["mojibake"] * earlier, *codes]
    names = [f"sound-{n}" for n in range(sound)] + [f"failed-{n}" for n in range(len(failed))]
    told: list[str | None] = [None] * sound + failed
    return pa.table({"document_id": names, "content_key": names, "failure_code": pa.array(told, pa.string())})


@pytest.mark.parametrize(
    ("base", "target", "state"),
    [
        (quarantined(), quarantined(*["mojibake"] * 10), "fail"),
        (quarantined(), quarantined(*["mojibake", "boilerplate"] * 3), "fail"),
        (quarantined(), quarantined("mojibake"), "none"),
        (quarantined(sound=10), quarantined(*["mojibake"] * 2, sound=10), "none"),
        (quarantined(sound=40), quarantined(*["mojibake"] * 2, sound=38), "none"),
        (quarantined(sound=30), quarantined(*["mojibake"] * 3, sound=27), "fail"),
        (quarantined(), quarantined(*["encrypted", "corrupt"] * 10), "none"),
        (quarantined(earlier=30), quarantined(earlier=30), "none"),
        (quarantined(earlier=30), quarantined(*["mojibake"] * 3, sound=107, earlier=30), "none"),
        (quarantined(earlier=30), quarantined(*["mojibake"] * 20, earlier=30), "fail"),
    ],
    ids=[
        *("a tenth", "of both kinds", "one", "two of twelve", "two of forty", "three of thirty"),
        *("other reasons", "as before", "as usual", "more than usual"),
    ],
)
def test_documents_set_aside_for_damage_count_as_damage(base: pa.Table, target: pa.Table, state: str) -> None:
    assert set_aside(base, target).state == state


def test_only_documents_set_aside_tonight_are_named() -> None:
    base, target = quarantined(earlier=2), quarantined("mojibake", "corrupt", "boilerplate", earlier=2)
    named = {"failed-2", "failed-4"}
    assert set(newly_set_aside(base, target)["document_id"].to_pylist()) == named == set_aside(base, target).carriers
