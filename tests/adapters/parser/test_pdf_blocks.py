"""Rows of a PDF's pages: what is furniture, and what only looks like it."""

from __future__ import annotations

import pytest

from nightjar.adapters.parser.pdf_blocks import elements_of_pages
from nightjar.adapters.parser.pdf_rows import Row


def row(text: str, *, place: float, size: float = 11.0) -> Row:
    return Row((text,), left=70.0, right=400.0, bottom=800 * (1 - place), size=size, bold=False, place=place)


def page(number: int, *first: Row) -> list[Row]:
    words = f"What page {'abcde'[number]} has to say is said in one long line of running text."
    return [*first, row(words, place=0.3), row(f"More of it follows {'abcde'[number]}.", place=0.5)]


def test_numbered_headings_at_the_top_of_pages_are_no_running_heads() -> None:
    pages = [page(number, row(f"Chapter {number + 1}", place=0.06, size=18.0)) for number in range(4)]
    found = [each.text for each in elements_of_pages(pages) if each.kind == "Title"]
    assert found == ["Chapter 1", "Chapter 2", "Chapter 3", "Chapter 4"]


def test_running_heads_and_page_numbers_go() -> None:
    pages = [
        [*page(number, row(f"Handbook, page {number}", place=0.05)), row(str(number + 1), place=0.95)]
        for number in range(4)
    ]
    texts = [each.text for each in elements_of_pages(pages)]
    assert not any("Handbook" in text or text.isdigit() for text in texts)
    assert len(texts) == 8


def test_a_lone_number_within_the_page_stays() -> None:
    rows = [row("The answers are", place=0.2), row("1", place=0.3), row("42", place=0.4)]
    assert "42" in " ".join(each.text for each in elements_of_pages([rows]))


def lines(*texts: str, apart: float, size: float = 11.0, first: float = 0.1) -> list[Row]:
    """Rows below one another, `apart` in font sizes."""
    return [row(text, place=first + at * apart * size / 800, size=size) for at, text in enumerate(texts)]


WIDE = (
    "The most important comparison is the one over time, for it says",
    "how much was changed in the years of which we have the figures",
    "and how much of that was brought about by those who meant it so.",
    "As before, all of the figures are our own and were made by hand,",
    "which is to say that they may be wrong.",
)


@pytest.mark.parametrize("apart", [1.2, 1.7, 2.2])
def test_lines_set_far_apart_are_one_paragraph(apart: float) -> None:
    found = [each.text for each in elements_of_pages([lines(*WIDE, apart=apart)])]
    assert found == [" ".join(WIDE)]


def test_single_lines_far_apart_are_no_paragraph() -> None:
    listed = ("apples", "pears", "plums", "cherries")
    assert [each.text for each in elements_of_pages([lines(*listed, apart=2.2)])] == list(listed)


def test_a_paragraph_in_larger_letters_than_the_notes_around_it_is_no_heading() -> None:
    notes = lines(
        *(f"A note in small letters that says a thing or two, the {n}th" for n in range(30)), apart=1.2, size=8
    )
    prose = lines(*WIDE, apart=1.2, first=0.6)
    last = list(elements_of_pages([[*notes, *prose]]))[-1]
    assert (last.kind, last.text) == ("NarrativeText", " ".join(WIDE))
