"""What `make demo` may claim about its second night, and how it quotes an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tools.demo import require_only_the_edit
from tools.demo_report import telling
from tools.stack.place import Failed

QUIET = {"added": 0, "changed": 1, "deleted": 0, "renamed": 0, "unchanged": 18, "quarantined": 0}


def night(*, parsed: int = 1, embedded: int = 1, reused: int = 4, **documents: int) -> dict[str, Any]:
    chunks = {"total": 28, "embedded": embedded, "reused": reused}
    return {"documents": QUIET | documents, "parsed": parsed, "chunks": chunks}


@pytest.mark.parametrize("embedded", [1, 2])
def test_one_changed_document_and_few_new_chunks_pass(embedded: int) -> None:
    require_only_the_edit(night(embedded=embedded))


@pytest.mark.parametrize(
    "more_or_less",
    [
        {"changed": 2},
        {"changed": 0},
        {"added": 1},
        {"deleted": 1},
        {"parsed": 0},
        {"parsed": 2},
        {"embedded": 0},
        {"embedded": 3},
        {"embedded": 2, "reused": 0},
    ],
    ids=str,
)
def test_a_night_that_did_more_or_less_than_the_edit_fails(more_or_less: dict[str, int]) -> None:
    with pytest.raises(Failed, match="second night"):
        require_only_the_edit(night(**more_or_less))


def test_an_answer_is_a_sentence_of_prose_and_not_the_table_before_it() -> None:
    text = "It is kept, and that is it.\n\nvoluntary work | 2\n\nDay\nBrightwater was founded on 3 May. It is free."
    asked = "When was Brightwater founded, and is that day off?"
    assert telling(text, asked) == "Brightwater was founded on 3 May. It is free."


def test_an_answer_begins_at_the_sentence_nearest_to_the_question() -> None:
    text = "Book early. A hotel in Zurich may cost 220 euros. Breakfast is included. Miles are yours."
    assert telling(text, "What may a hotel cost?") == "A hotel in Zurich may cost 220 euros. Breakfast is included."
