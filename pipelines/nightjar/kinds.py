"""The kinds of metadata fields (text, text[], int, number, bool, date), and how values of elsewhere become them.

Texts come from paths, headers and command lines, other values from JSON and YAML. Nothing is guessed: a number is no
text and 1 is no bool.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Final

from nightjar.model import FieldValue

_WHOLE_IN_DOUBLE: Final = 2**53  # indexes hand numbers on as doubles: beyond this they would come back changed
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")


class Unfit(ValueError):
    """A value does not fit its field's kind; the text completes "the value …" and does not quote it."""


def typed(value: object, *, kind: str) -> FieldValue:
    """The value as its field's kind wants it: dates are in UTC (a day is its midnight), lists are tuples.

    A text given for `text[]` is a list separated by commas.

    Raises:
        Unfit: it does not.
        KeyError: there is no such kind.
    """
    return _READERS[kind](value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("is not a text")
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Unfit("is not valid Unicode text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part for piece in _text(value).split(",") if (part := piece.strip()))
    if not isinstance(value, list | tuple):
        raise Unfit("is not a list of texts")
    return tuple(_text(item) for item in value)


def _int(value: object) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unfit("is not a whole number")
    if abs(value) > _WHOLE_IN_DOUBLE:
        raise Unfit("is a whole number beyond 2^53")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        raise Unfit("is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Unfit("is not a number") from None
    if not math.isfinite(number):
        raise Unfit("is not a finite number")
    return number


def _bool(value: object) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower())
    if not isinstance(value, bool):
        raise Unfit("is neither true nor false")
    return value


def _date(value: object) -> datetime:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, str):
        value = _read_date(value.strip())
    if not isinstance(value, datetime):
        raise Unfit("is not a date")
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise Unfit("is not a date between the years 1 and 9999") from None


def _read_date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Unfit("is not a date such as 2024-05-01 or 2024-05-01T09:30:00Z") from None


_READERS: Final[dict[str, Callable[[object], FieldValue]]] = {
    "text": _text,
    "text[]": _texts,
    "int": _int,
    "number": _number,
    "bool": _bool,
    "date": _date,
}
KINDS: Final = tuple(_READERS)
