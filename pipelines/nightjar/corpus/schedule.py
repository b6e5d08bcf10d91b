"""When the night begins: a cron line, a preset, or assets that somebody updates."""

from __future__ import annotations

import re
import zoneinfo
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from nightjar.corpus.section import Section, Words

PRESETS: Final = ("@once", "@continuous", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
_FIELDS: Final = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ("l",)),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_PART: Final = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:#[1-5])?(?:/([1-9]\d*))?")


class Assets(Section):
    """Run when all of these Airflow assets have been updated."""

    assets: Annotated[Words, Field(min_length=1)] = Field(description="Names or uris of Airflow assets.")


def _place(word: str, low: int, names: tuple[str, ...]) -> int:
    """A number as it stands, a name by its place; anything else is out of every range."""
    if word.isdecimal():
        return int(word)
    return names.index(word.lower()) + low if word.lower() in names else -1


def cron_problem(line: str) -> str | None:
    """What is wrong with a cron line of five fields; None when nothing is."""
    written = line.split()
    if len(written) != len(_FIELDS):
        return f"{line!r} has {len(written)} fields; write five: minute hour day month weekday"
    for text, (label, low, high, names) in zip(written, _FIELDS, strict=True):
        for part in text.split(","):
            match = _PART.fullmatch(part)
            words = [word for word in match.group(1, 2) if word] if match else ["?"]
            if any(not low <= _place(word, low, names) <= high for word in words):
                return f"{part!r} is no {label}; write {low} to {high}, *, a list or a range"
    return None


def read_schedule(written: object) -> object:
    """Check a cron line or preset; a mapping is left to `Assets`.

    Raises:
        ValueError: says which field is wrong.
    """
    if not isinstance(written, str):
        return written
    text = written.strip()
    if text.startswith("@"):
        problem = None if text in PRESETS else f"{text!r} is no preset; use one of {', '.join(PRESETS)}"
    else:
        problem = cron_problem(text)
    if problem is not None:
        raise ValueError(problem)
    return text


def known_zone(name: str) -> str:
    """The name of a time zone, where the machine knows it.

    Raises:
        ValueError: no such zone.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Berlin or UTC") from error
    return name


def _form(written: object) -> str:
    return "assets" if isinstance(written, (dict, Assets)) else "cron"


Schedule = Annotated[
    Annotated[str, Tag("cron")] | Annotated[Assets, Tag("assets")],
    Discriminator(_form),
    BeforeValidator(read_schedule),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["0 2 * * *", "@daily"]},
                {
                    "type": "object",
                    "properties": {"assets": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
                    "required": ["assets"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
TimeZone = Annotated[str, AfterValidator(known_zone)]
