"""Durations, sizes and shares as people write them in a corpus file, and as the code wants them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic.fields import FieldInfo

from nightjar.errors import bounded

_NUMBER: Final = r"(\d+(?:\.\d+)?)"
_DURATION: Final = re.compile(rf"{_NUMBER}\s*(ms|s|m|h|d)")
_SIZE: Final = re.compile(rf"{_NUMBER}\s*([kKMGT]i?)?B")
_SHARE: Final = re.compile(rf"{_NUMBER}\s*%")
_SOME: Final = "(?=.*[1-9])"
"""JSON Schema cannot compare: at least it is told that nothing is meant to be nothing."""

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {
    "": 1,
    **{prefix: 1000**power for power, prefix in enumerate("kMGT", start=1)},
    "K": 1000,
    **{f"{prefix}i": 1024**power for power, prefix in enumerate("KMGT", start=1)},
    "ki": 1024,
}


class WrongKey(ValueError):
    """A rule over several keys of one section failed; `key` is the one to change."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        super().__init__(reason)


def as_written(value: object) -> str:
    """A value as a corpus file has it: `null` and `true`, not `None` and `True`; texts in quotes."""
    return repr(value) if isinstance(value, str) else bounded(json.dumps(value, default=str), limit=60)


def parse_duration(written: object) -> timedelta:
    """`90s`, `15m`, `2h`, `1d` or `500ms` as a timedelta.

    Raises:
        ValueError: no number with one of these units.
    """
    if isinstance(written, timedelta):
        return written
    match = _DURATION.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f"{as_written(written)} is no duration; write a number and a unit, such as 90s, 15m or 2h")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def parse_size(written: object) -> int:
    """`200MB` (powers of 1000) or `2GiB` (powers of 1024) as bytes.

    Raises:
        ValueError: no number with such a unit.
    """
    match = _SIZE.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f"{as_written(written)} is no size; write a number and a unit, such as 200MB or 2GiB")
    return int(float(match[1]) * _BYTES[match[2] or ""])


def parse_share(written: object) -> float:
    """`5%` or `0.05` as a number from 0 to 1.

    Raises:
        ValueError: neither, or out of range.
    """
    match = _SHARE.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is not None:
        share = float(match[1]) / 100
    elif isinstance(written, (int, float)) and not isinstance(written, bool):
        share = float(written)
    else:
        raise ValueError(f"{as_written(written)} is no share; write 5% or 0.05")
    if not 0 <= share <= 1:
        raise ValueError(f"{written!r} is not between 0% and 100%; write five per cent as 5% or 0.05")
    return share


def write_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as `value`."""
    return f"{value.total_seconds():g}s"


def write_size(value: int) -> str:
    """A text that `parse_size` reads back as `value`, in the largest unit that divides it."""
    units = sorted((size, unit) for unit, size in _BYTES.items() if unit not in ("K", "ki"))
    size, unit = next((size, unit) for size, unit in reversed(units) if value % size == 0)
    return f"{value // size}{unit}B"


def at_least(size: int) -> FieldInfo:
    """A field's lower bound in bytes. JSON Schema refuses numbers that have too few digits for it in their unit."""
    units: dict[int, list[str]] = {}
    for unit, each in _BYTES.items():
        units.setdefault(len(str(max(1, size // each))), []).append(unit)
    written = "|".join(rf"\d{{{digits},}}(?:\.\d+)?\s*(?:{'|'.join(each)})" for digits, each in units.items())
    made: FieldInfo = Field(ge=size, json_schema_extra={"pattern": rf"^{_SOME}(?:{written})B$"})
    return made


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^{_SOME}{_DURATION.pattern}$", "examples": ["90s", "2h"]}),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(write_size, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^{_SIZE.pattern}$", "examples": ["200MB", "2GiB"]}),
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^0*(\d{1,2}(\.\d+)?|100(\.0+)?)\s*%$"},
            ],
            "examples": ["5%", 0.05],
        }
    ),
]
Count = Annotated[int, Field(strict=True, ge=0)]
AtLeastOne = Annotated[int, Field(strict=True, ge=1)]
Switch = Annotated[bool, Field(strict=True)]
