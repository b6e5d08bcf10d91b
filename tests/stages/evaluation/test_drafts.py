from __future__ import annotations

from nightjar.model import Chunk
from nightjar.stages.evaluation.drafts import draft


def chunk(text: str, *headings: str) -> Chunk:
    return Chunk(0, text, "", headings, None, None, 3, "NarrativeText")


def test_a_heading_that_asks_is_taken_as_it_is() -> None:
    assert draft("FAQ", [chunk("Yes.", "Things", "May I bring my dog?")], seed="a") == "May I bring my dog?"


def test_another_heading_is_asked_about() -> None:
    assert (
        draft("Leave", [chunk("16 weeks.", "Parental  leave")], seed="a") == "What does Leave say about Parental leave?"
    )


def test_without_headings_a_sentence_is_looked_for() -> None:
    text = "Everybody has thirty days of leave. Ask early."
    assert draft("Leave", [chunk(text)], seed="a") == "Everybody has thirty days of leave."


def test_what_holds_no_sentence_makes_no_question() -> None:
    assert draft("T", [chunk("1;2;3")], seed="a") is None
    assert draft("T", [], seed="a") is None
