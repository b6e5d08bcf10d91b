"""From hits to a ranking of documents, and which of them answer."""

from __future__ import annotations

import pytest

from nightjar.corpus.questions import GoldenQuestion, Relevant
from nightjar.model import ChunkId, DocumentId, Hit
from nightjar.stages.evaluation.answers import answer, known, wanted


def question(*relevant: Relevant) -> GoldenQuestion:
    return GoldenQuestion("How many days?", relevant, 1)


def relevant(document: str, *, page: int | None = None, passage: str | None = None) -> Relevant:
    return Relevant(DocumentId(document), document, page, passage)


def hit(document: str, text: str = "", *, pages: tuple[int, int] | None = None) -> Hit:
    first, last = pages or (None, None)
    about = {"document_id": document, "source_uri": f"s3://b/{document}", "title": "T", "text": text}
    return Hit(ChunkId(f"{document}{text}{pages}"), 1.0, {**about, "page_first": first, "page_last": last})


def test_a_document_stands_where_its_best_chunk_does() -> None:
    hits = [hit("b", "1"), hit("a", "1"), hit("b", "2"), hit("c")]
    assert answer(question(relevant("a")), hits).units == ("b", "a", "c")


@pytest.mark.parametrize(("pages", "found"), [((1, 1), False), ((1, 2), True), ((2, 3), True), (None, False)])
def test_of_a_page_only_chunks_that_cover_it_answer(pages: tuple[int, int] | None, *, found: bool) -> None:
    asked = question(relevant("a", page=2))
    assert (not wanted(asked).isdisjoint(answer(asked, [hit("a", pages=pages)]).units)) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("So: THIRTY days\n of leave, always", True),
        ("days of leave", True),  # a part of the passage
        ("thirty days", True),
        ("forty days of leave", False),
        ("", False),
    ],
)
def test_of_a_passage_only_chunks_with_its_words_answer(text: str, *, found: bool) -> None:
    asked = question(relevant("a", passage="thirty days of  leave"))
    assert (not wanted(asked).isdisjoint(answer(asked, [hit("a", text)]).units)) is found


def test_another_chunk_of_a_document_wanted_in_part_takes_a_place_of_its_own() -> None:
    asked = question(relevant("a", page=2), relevant("a", page=5))
    hits = [hit("a", "x", pages=(1, 1)), hit("a", "y", pages=(2, 2)), hit("a", "z", pages=(3, 3)), hit("b")]
    assert answer(asked, hits).units == ("a", "a#0", "b")


def test_what_was_found_first_is_shown_and_bounded() -> None:
    found = answer(question(relevant("a")), [hit("a", "word " * 200), *(hit(f"d{n}") for n in range(9))]).found
    assert len(found) == 5
    assert (found[0].relevant, found[1].relevant) == (True, False)
    assert len(found[0].excerpt) == 240
    assert found[0].excerpt.endswith("word word…")


@pytest.mark.parametrize(("text", "shown"), [("word " * 48, 239), ("w" * 240, 240), ("long " * 50, 240)])
def test_an_excerpt_ends_with_a_word_unless_it_is_one(text: str, shown: int) -> None:
    (found,) = answer(question(relevant("a")), [hit("a", text)]).found
    assert len(found.excerpt) == shown
    assert found.excerpt.endswith(("word", "w", "long…"))


def test_a_word_that_is_longer_than_an_excerpt_is_cut() -> None:
    (found,) = answer(question(relevant("a")), [hit("a", "w" * 300)]).found
    assert found.excerpt == "w" * 239 + "…"


def test_an_answer_that_the_version_does_not_know_is_left_out_and_told() -> None:
    asked = [question(relevant("a"), relevant("gone")), GoldenQuestion("?", (relevant("gone"),), 2)]
    found = known(asked, frozenset({DocumentId("a")}))
    assert [each.relevant for each in found.questions] == [(relevant("a"),)]
    assert found.unknown == ((1, "gone"), (2, "gone"))
