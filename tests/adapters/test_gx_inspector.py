import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nightjar.adapters.gx_inspector import GxInspector, read_suite, shipped_suites
from nightjar.errors import Code, Misconfigured
from nightjar.model import Chunk, Element, ParsedDocument
from nightjar.stages.quality import (
    CHUNK_ROW,
    DOCUMENT_ROW,
    chunk_table,
    document_table,
    embedding_table,
    owner_of,
    rejections,
)

META = {"code": "empty", "text": "It is empty."}
ROWS = pa.table({"id": ["x", "y", "z"], "n": pa.array([1, 0, 5])})
SUITES = ("documents", "chunks", "embeddings")


@pytest.fixture(scope="module")
def shipped() -> GxInspector:
    return GxInspector()


def rule(**changed: Any) -> dict[str, Any]:
    plain = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "n", "min_value": 1},
        "severity": "critical",
        "meta": META,
    }
    return plain | changed


def inspector(folder: Path, *rules: dict[str, Any]) -> GxInspector:
    (folder / "documents.json").write_text(json.dumps({"name": "documents", "expectations": rules}))
    return GxInspector(folder)


def refusal(made: GxInspector, table: pa.Table = ROWS) -> str:
    with pytest.raises(Misconfigured) as caught:
        made.check("documents", table, row_id="id")
    return str(caught.value)


def parsed(text: str, *, media_type: str = "text/plain") -> ParsedDocument:
    return ParsedDocument(media_type, "utf-8", "", "eng", (Element("NarrativeText", text),))


@pytest.mark.parametrize(("weights", "failed"), [([0.3, 0.3, 0.4], 0), ([0.98, 0.01, 0.01], 1)])
def test_a_rule_that_needs_statistics_finds_them(tmp_path: Path, weights: list[float], failed: int) -> None:
    shares = {"values": [0, 1, 5], "weights": weights}
    kwargs = {"column": "n", "partition_object": shares, "threshold": 0.1}
    made = inspector(tmp_path, rule(type="expect_column_kl_divergence_to_be_less_than", kwargs=kwargs))
    assert len(made.check("documents", ROWS, row_id="id")) == failed


def test_a_failing_row_is_named_with_code_and_reason(tmp_path: Path) -> None:
    (found,) = inspector(tmp_path, rule()).check("documents", ROWS, row_id="id")
    assert (found.row_id, found.observed, found.code, found.reason) == ("y", "0", "empty", "It is empty.")
    assert (found.rule, found.severity) == ("expect_column_values_to_be_between(n)", "critical")


def test_violations_come_in_the_order_of_the_rules(tmp_path: Path) -> None:
    first = rule(type="expect_column_values_to_be_in_set", kwargs={"column": "n", "value_set": [0]})
    found = inspector(tmp_path, first, rule()).check("documents", ROWS, row_id="id")
    assert [violation.row_id for violation in found] == ["x", "z", "y"]


def test_a_rule_about_the_table_has_no_row(tmp_path: Path) -> None:
    made = inspector(tmp_path, rule(type="expect_table_row_count_to_be_between", kwargs={"min_value": 4}))
    (found,) = made.check("documents", ROWS, row_id="id")
    assert (found.row_id, found.observed) == ("", "3")


def test_a_null_is_found_by_its_own_rule(tmp_path: Path) -> None:
    table = pa.table({"id": ["x", "y"], "n": pa.array([1, None], pa.int64())})
    made = inspector(tmp_path, rule(type="expect_column_values_to_not_be_null", kwargs={"column": "n"}))
    assert [violation.row_id for violation in made.check("documents", table, row_id="id")] == ["y"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (rule(type="expect_nothing"), "documents.json: rule 2 (expect_nothing) does not load"),
        (rule(kwargs={"column": "n", "min_valu": 1}), "documents.json: rule 2 (expect_column_values_to_be_between)"),
        (rule(severity="fatal"), "documents.json: rule 2: severity must be one of critical, warning, info"),
        (rule(meta={"code": "nonsense", "text": "x"}), "documents.json: rule 2: meta.code must be one of empty"),
        (rule(meta={"code": "empty"}), "documents.json: rule 2: meta.text must say in one sentence what is wrong"),
        (rule(mta={}), "documents.json: rule 2: unknown key 'mta'"),
        (rule(kwargs=None), "documents.json: rule 2: needs a type and kwargs"),
        (rule(kwargs={"column": "m", "min_value": 1}), "no column 'm'; there are id, n"),
    ],
)
def test_a_suite_that_does_not_load_whole_is_refused(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    assert said in refusal(inspector(tmp_path, rule(), wrong))


def test_a_missing_suite_is_named(tmp_path: Path) -> None:
    assert "documents.json: no such suite; set quality.suites" in refusal(GxInspector(tmp_path))


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "documents", "expectations": []}'])
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "documents.json").write_text(text)
    assert refusal(GxInspector(tmp_path)).startswith("documents.json: ")


def test_a_rule_that_cannot_be_computed_is_an_error_and_no_bad_row(tmp_path: Path) -> None:
    table = pa.table({"id": ["x"], "n": ["words"]})
    assert "could not be computed" in refusal(inspector(tmp_path, rule()), table)


@pytest.mark.parametrize("suite", SUITES)
def test_every_shipped_rule_carries_a_stable_code_and_a_sentence(suite: str) -> None:
    rules = read_suite(shipped_suites() / f"{suite}.json")
    assert all(Code(one["meta"]["code"]) and one["meta"]["text"].endswith(".") for one in rules)


@pytest.mark.parametrize("suite", SUITES)
def test_every_shipped_suite_refuses_an_empty_table(suite: str) -> None:
    rules = read_suite(shipped_suites() / f"{suite}.json")
    assert "expect_table_row_count_to_be_between" in {one["type"] for one in rules}


@pytest.mark.parametrize(
    ("text", "media_type", "code"),
    [
        ("", "text/plain", "no_text"),
        ("\u200b \n", "text/plain", "no_text"),
        ("A good text.", "application/octet-stream", "unsupported"),
        ("A good text.", "", "unsupported"),
        ("GrÃ¼ÃŸe aus KÃ¶ln, schÃ¶ne GrÃ¼ÃŸe", "text/plain", "mojibake"),
        ("a\ufffdb\ufffd", "text/plain", "mojibake"),
        ("a\0" + "b" * 99, "text/plain", "corrupt"),
        ("Page 1\n" * 100, "text/plain", "boilerplate"),
    ],
)
def test_a_bad_document_is_quarantined_with_its_code(
    shipped: GxInspector, text: str, media_type: str, code: str
) -> None:
    rows = [("bad", parsed(text, media_type=media_type)), ("good", parsed("A good text about birds."))]
    found = rejections(shipped.check("documents", document_table(rows, languages=None), row_id=DOCUMENT_ROW))
    assert {row: violation.code for row, violation in found.items()} == {"bad": code}


def test_a_language_that_nobody_asked_for_is_quarantined(shipped: GxInspector) -> None:
    table = document_table([("a", parsed("A text."))], languages=("deu",))
    assert rejections(shipped.check("documents", table, row_id=DOCUMENT_ROW))["a"].code == "language"


def test_a_chunk_above_the_limit_rejects_its_document(shipped: GxInspector) -> None:
    chunks = [("a", Chunk(0, "x", "", (), None, None, 257, "T")), ("b", Chunk(0, "x", "", (), None, None, 256, "T"))]
    table = chunk_table(chunks, max_tokens=256)
    assert set(rejections(shipped.check("chunks", table, row_id=CHUNK_ROW))) == {"a"}


def test_vectors_that_cannot_be_searched_reject_their_documents(shipped: GxInspector) -> None:
    vectors = np.eye(4, dtype=np.float32)
    vectors[1] = np.nan
    vectors[2] = 0
    vectors[3] *= 2
    table = embedding_table(["a#0", "b#0", "c#0", "d#0"], vectors=vectors, dimensions=4)
    found = shipped.check("embeddings", table, row_id=CHUNK_ROW)
    assert {owner_of(violation.row_id) for violation in found} == {"b", "c", "d"}


def test_a_check_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: GxInspector) -> None:
    monkeypatch.chdir(tmp_path)
    shipped.check("documents", document_table([("a", parsed("x"))], languages=None), row_id=DOCUMENT_ROW)
    assert list(tmp_path.iterdir()) == []


def test_its_identity_follows_its_suites(tmp_path: Path) -> None:
    before = inspector(tmp_path, rule()).identity
    assert inspector(tmp_path, rule()).identity == before
    assert inspector(tmp_path, rule(severity="warning")).identity != before
