"""What people read on a terminal: document text is untrusted, so no control sequence of it gets through."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import click

_SEQUENCE: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]P^_X][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, PM, APC, SOS: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
# C0 (but tab and line feed), DEL, C1, marks that reverse a line's direction, lone surrogates.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PIPED_WIDTH: Final = 10_000  # nothing is cut where another program reads

Cell = str | int | float | None


def clean(text: str) -> str:
    """`text` without escape sequences and control characters; line feeds and tabs stay."""
    return _CONTROL.sub("\ufffd", _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def line(text: str) -> str:
    """`clean`, on one line."""
    return " ".join(clean(text).split())


def emit(record: Mapping[str, object]) -> None:
    """The one JSON object of a command on standard output. Pure ASCII, so that no terminal and no locale minds it."""
    click.echo(json.dumps({"format": 1, **record}, default=str))


def say(text: str = "") -> None:
    """Text for people on standard output, cleaned."""
    click.echo(clean(text))


def note(text: str) -> None:
    """A remark on standard error, cleaned: never part of what a pipe reads."""
    click.echo(clean(text), err=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Columns on standard output; numbers to the right, a terminal's width respected, a pipe never cut."""
    from rich.console import Console  # noqa: PLC0415 - most commands draw no table, and drawing takes long to import
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    listed = [list(row) for row in rows]
    for place, heading in enumerate(headings):
        numeric = bool(listed) and all(isinstance(row[place], int | float | None) for row in listed)
        drawn.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        drawn.add_row(*(Text(shown(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    console = Console(width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(drawn)
    click.echo("\n".join(row.rstrip() for row in captured.get().splitlines()))


def shown(value: Cell) -> str:
    """A cell: thousands are grouped, nothing is a dash."""
    if value is None or value == "":
        return "-"
    return f"{value:,}" if isinstance(value, int | float) else line(value)


def moment(iso: str | None) -> str:
    """`2026-11-23 02:00` in UTC, a dash for never."""
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M}" if iso else "-"


def tallied(words: Iterable[str]) -> str:
    """`empty 2, encrypted 1`, the most frequent first."""
    return ", ".join(f"{word} {count:,}" for word, count in Counter(words).most_common())
