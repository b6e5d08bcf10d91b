"""Names and quotations of a document are found in reports; everything else stays."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from nightjar.stages.scrub import GONE, Marks, names_of, scrubbed, without_rows

URI = "s3://documents/h/a b/wages.txt"
OTHER = "s3://documents/h/leave.txt"
MARKS = Marks(
    ids=frozenset({"6f0fb0a6-4a39-5a39-9a83-0a5d3b0c8b11"}),
    uris=frozenset({URI}),
    contents=frozenset({"c" * 64}),
    names=frozenset(names_of(URI, prefix="h/")),
    texts=("Zoe earns ninety thousand a year,\n and nobody else may ever know about it, says the contract.",),
)


@pytest.mark.parametrize(
    "text",
    [
        URI,
        "h/a b/wages.txt",
        "a b/wages.txt",
        "s3%3A//documents/h/a%20b/wages.txt",
        "6f0fb0a6-4a39-5a39-9a83-0a5d3b0c8b11",
        "ZOE EARNS ninety   thousand",
        "…nobody else may ever know about it, says the con…",
        "an excerpt: and nobody else may ever know about it, says the contract. And more.",
    ],
)
def test_a_name_or_a_quotation_is_recognised(text: str) -> None:
    assert MARKS.carried_by(text)


@pytest.mark.parametrize(
    "text",
    [
        OTHER,
        f"{URI}.bak",
        "s3://documents/h/a b/wages.txt2",
        "x/h/a b/wages.txt-old",
        "ninety",
        "a year",
        "Everyone earns ninety thousand dollars in a good year, and everybody may know about it.",
        "",
    ],
)
def test_another_name_or_a_common_phrase_is_not(text: str) -> None:
    assert not MARKS.carried_by(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"uri": URI}, {"uri": OTHER}], [{"uri": OTHER}]),
        ({URI: 1, OTHER: 2}, {OTHER: 2}),
        ({"x": [1, 2], "labels": [URI, OTHER]}, {"x": [1, 2], "labels": [GONE, OTHER]}),
        ({"reason": f"see {URI}."}, {"reason": f"see {GONE}."}),
        ({"worst": {"uri": URI, "score": 0.5}}, {"worst": {"uri": GONE, "score": 0.5}}),
        ([{"cluster": 1, "documents": [{"uri": URI}]}], [{"cluster": 1, "documents": []}]),
        ([None, 1.5, True, "fail"], [None, 1.5, True, "fail"]),
    ],
)
def test_reports_keep_their_shape(value: Any, expected: Any) -> None:
    assert scrubbed(value, MARKS) == expected


@pytest.mark.parametrize("column", ["uri", "source_uri", "base_uri"])
def test_rows_are_known_by_address_under_each_name(column: str) -> None:
    table = pa.table({column: [URI, OTHER, None], "n": [1, 2, 3]})
    assert without_rows(table, MARKS)["n"].to_pylist() == [2, 3]


def test_rows_are_known_by_id_and_by_content() -> None:
    table = pa.table({"document_id": [next(iter(MARKS.ids)), "x", "x"], "content_key": ["a", "c" * 64, None]})
    assert without_rows(table, MARKS).num_rows == 1


def test_a_table_without_such_columns_stays() -> None:
    table = pa.table({"n": [1, 2]})
    assert without_rows(table, MARKS).equals(table)


def test_words_that_anybody_uses_are_no_names() -> None:
    assert names_of("s3://documents/readme", prefix="") == {"s3%3A//documents/readme"}
