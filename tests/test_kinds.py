from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from nightjar.kinds import KINDS, Unfit, typed

CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "", ""),
        ("text", "Ärmel 🌙", "Ärmel 🌙"),
        ("text[]", "a, b,,c ", ("a", "b", "c")),
        ("text[]", ["a, b"], ("a, b",)),
        ("text[]", (), ()),
        ("int", 0, 0),
        ("int", " -7 ", -7),
        ("int", 2**53, 2**53),
        ("int", -(2**53), -(2**53)),
        ("number", 1, 1.0),
        ("number", "1e3", 1000.0),
        ("bool", False, False),
        ("bool", " True", True),
        ("date", "2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("date", "2024-05-01T09:30:00Z", datetime(2024, 5, 1, 9, 30, tzinfo=UTC)),
        ("date", "2024-05-01T09:30:00+01:00", datetime(2024, 5, 1, 8, 30, tzinfo=UTC)),
        ("date", date(2024, 5, 1), datetime(2024, 5, 1, tzinfo=UTC)),
        ("date", datetime(2024, 5, 1, 9, tzinfo=CET), datetime(2024, 5, 1, 8, tzinfo=UTC)),
    ],
)
def test_values_that_fit(kind: str, value: object, expected: object) -> None:
    got = typed(value, kind=kind)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 2024),
        ("text", None),
        ("text", "nul \0"),
        ("text", "half a \ud83c"),
        ("text[]", 5),
        ("text[]", ["a", 5]),
        ("int", True),
        ("int", 1.0),
        ("int", "1.0"),
        ("int", "٣"),
        ("int", ""),
        ("int", 2**53 + 1),
        ("int", -(2**53) - 1),
        ("int", "9" * 5000),
        ("number", True),
        ("number", "nan"),
        ("number", float("inf")),
        ("number", 10**400),
        ("number", "many"),
        ("bool", 1),
        ("bool", "yes"),
        ("date", "yesterday"),
        ("date", 20240501),
        ("date", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_values_that_do_not_fit(kind: str, value: object) -> None:
    with pytest.raises(Unfit):
        typed(value, kind=kind)


def test_the_kinds_are_those_of_the_corpus_file() -> None:
    assert KINDS == ("text", "text[]", "int", "number", "bool", "date")
