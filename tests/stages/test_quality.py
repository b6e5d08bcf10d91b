import numpy as np
import pytest

from nightjar.model import Chunk, Element, ParsedDocument, Violation
from nightjar.stages.quality import (
    CHUNKS,
    DOCUMENTS,
    EMBEDDINGS,
    chunk_row,
    chunk_table,
    document_table,
    embedding_table,
    owner_of,
    rejections,
    repeated_line_share,
    repeated_word_share,
)


def document(*texts: str, language: str = "eng") -> ParsedDocument:
    return ParsedDocument("text/plain", "utf-8", "", language, tuple(Element("NarrativeText", text) for text in texts))


def passage(text: str, *, ordinal: int = 0, tokens: int = 5) -> Chunk:
    return Chunk(ordinal, text, "", (), None, None, tokens, "NarrativeText")


def violation(row: str, *, severity: str = "critical", rule: str = "r") -> Violation:
    return Violation(row, rule, "1", "empty", "It is empty.", severity)


@pytest.mark.parametrize(
    ("text", "length"), [("a b\n", 2), (" \u200b\u00a0\ufeff\t", 0), ("", 0), ("é\x00", 1), ("漢字", 2)]
)
def test_only_visible_characters_are_text(text: str, length: int) -> None:
    assert document_table([("a", document(text))], languages=None)["text_length"].to_pylist() == [length]


@pytest.mark.parametrize(
    ("language", "welcome", "allowed"),
    [("deu", None, True), ("deu", ("eng",), False), ("eng", ("eng", "deu"), True), ("", ("eng",), True)],
)
def test_a_language_is_allowed_unless_the_corpus_names_others(
    language: str, welcome: tuple[str, ...] | None, *, allowed: bool
) -> None:
    table = document_table([("a", document("x", language=language))], languages=welcome)
    assert table["language_allowed"].to_pylist() == [allowed]


def test_tables_have_their_schema_even_when_empty() -> None:
    assert document_table([], languages=None).schema == DOCUMENTS
    assert chunk_table([], max_tokens=256).schema == CHUNKS
    assert embedding_table([], vectors=np.zeros((0, 4), np.float32), dimensions=4).schema == EMBEDDINGS


def test_tables_hold_no_text() -> None:
    secret = "the launch code is 0000"
    tables = (
        document_table([("a", document(secret))], languages=None),
        chunk_table([("a", passage(secret))], max_tokens=256),
    )
    assert all(secret not in str(table.to_pylist()) for table in tables)


@pytest.mark.parametrize(("tokens", "truncated"), [(255, 0), (256, 0), (300, 44)])
def test_tokens_above_the_limit_are_truncated(tokens: int, truncated: int) -> None:
    table = chunk_table([("a", passage("x", tokens=tokens))], max_tokens=256)
    assert table["truncated_tokens"].to_pylist() == [truncated]


def test_a_chunk_row_leads_back_to_its_document() -> None:
    table = chunk_table([("a", passage("x", ordinal=7))], max_tokens=256)
    assert [owner_of(row) for row in table["row"].to_pylist()] == ["a"]
    assert table["row"].to_pylist() == [chunk_row("a", 7)]


def test_vectors_are_measured() -> None:
    vectors = np.array([[1, 0], [np.nan, 0], [0, 0], [3, 4], [np.inf, 0]], dtype=np.float32)
    rows = embedding_table(list("abcde"), vectors=vectors, dimensions=2).to_pylist()
    assert [row["finite"] for row in rows] == [True, False, True, True, False]
    assert [row["zero"] for row in rows] == [False, False, True, False, False]
    assert [row["norm"] for row in rows] == [1, 0, 0, 5, 0]


def test_missing_dimensions_are_counted() -> None:
    table = embedding_table(["a"], vectors=np.ones((1, 3), np.float32), dimensions=4)
    assert table["missing_dimensions"].to_pylist() == [1]


def test_a_short_text_is_no_boilerplate() -> None:
    assert repeated_line_share("same\n" * 39) == 0
    assert repeated_word_share("same " * 49) == 0


def test_lines_that_stood_before_are_repeats() -> None:
    assert repeated_line_share("same\n" * 40) == pytest.approx(39 / 40)


def test_a_table_of_contents_of_dots_is_mostly_one_word() -> None:
    assert repeated_word_share("intro " + ". " * 99) == pytest.approx(1.0)


def test_ordinary_prose_is_far_from_boilerplate() -> None:
    words = " ".join(f"word{n % 40} the" for n in range(60))
    assert repeated_word_share(words) < 0.6


def test_the_first_critical_violation_names_the_reason() -> None:
    found = rejections([violation("a#1", rule="first"), violation("a#0", rule="second"), violation("b")])
    assert {owner: v.rule for owner, v in found.items()} == {"a": "first", "b": "r"}


@pytest.mark.parametrize(
    "harmless", [violation("a", severity="warning"), violation("a", severity="info"), violation("")]
)
def test_warnings_and_rules_about_tables_reject_no_document(harmless: Violation) -> None:
    assert rejections([harmless]) == {}
