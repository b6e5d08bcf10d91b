from __future__ import annotations

from typing import Any

import pytest

from nightjar.errors import Misconfigured
from nightjar_dags.actions import Order, order_of

EMPTY: dict[str, Any] = {"version": None, "documents": [], "reason": "", "night": None}


@pytest.mark.parametrize(
    ("filled", "order"),
    [
        ({"action": "rollback"}, Order("rollback", None, (), None, "")),
        ({"action": "rollback", "version": 3, "reason": " bad night "}, Order("rollback", 3, (), None, "bad night")),
        ({"action": "hold", "reason": None}, Order("hold", None, (), None, "")),
        ({"action": "promote", "version": 12}, Order("promote", 12, (), None, "")),
        ({"action": "replay"}, Order("replay", None, (), None, "")),
        ({"action": "ask", "night": "scheduled__1"}, Order("ask", None, (), "scheduled__1", "")),
    ],
)
def test_a_form_that_makes_sense(filled: dict[str, Any], order: Order) -> None:
    assert order_of(EMPTY | filled) == order


def test_pasted_documents_lose_blank_lines_spaces_and_repeats() -> None:
    pasted = ["s3://documents/h/a.txt", "", "  s3://documents/h/b.txt \r", "s3://documents/h/a.txt"]
    order = order_of(EMPTY | {"action": "replay", "documents": pasted})
    assert order.documents == ("s3://documents/h/a.txt", "s3://documents/h/b.txt")


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"action": "promote"}, "promote needs version: enter its number"),
        ({"action": "reject"}, "reject needs version: enter its number"),
        ({"action": "hold", "version": 3}, "hold takes no version: empty that field"),
        ({"action": "unhold", "documents": ["a"]}, "unhold takes no documents: empty that field"),
        ({"action": "promote", "version": 3, "documents": ["a"]}, "promote takes no documents"),
        ({"action": "replay", "version": 3}, "replay takes no version"),
        ({"action": "rollback", "night": "manual__1"}, "rollback takes no night"),
        ({"action": "ask", "version": 3}, "ask takes no version"),
    ],
)
def test_a_form_that_does_not_fit_its_action_is_refused_in_a_sentence(filled: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        order_of(EMPTY | filled)
