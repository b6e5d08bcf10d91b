"""What reaches a terminal: words, never commands to it; and bars that only grow."""

from __future__ import annotations

import pytest
from rich.progress import Progress

from nightjar.cli.bars import Bars
from nightjar.cli.terminal import clean, shown, tallied


@pytest.mark.parametrize(
    ("untrusted", "shown_as"),
    [
        ("plain \u00fcml\u00e4ut \u4e2d\u6587 \U0001f600", "plain \u00fcml\u00e4ut \u4e2d\u6587 \U0001f600"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;cm0gLXJm\x07clipboard", "clipboard"),
        ("\x1bPq#0;2;0;0;0\x1b\\sixel", "sixel"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1b]0;never ended", ""),
        ("over\rwritten", "over\ufffdwritten"),
        ("back\x08space", "back\ufffdspace"),
        ("dos\r\nline", "dos\nline"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
        ("half \ud800 pair", "half \ufffd pair"),
    ],
)
def test_clean_keeps_words_and_drops_commands(untrusted: str, shown_as: str) -> None:
    assert clean(untrusted) == shown_as


@pytest.mark.parametrize(("value", "told"), [(None, "-"), ("", "-"), (12345, "12,345"), ("a\nb", "a b")])
def test_a_cell_is_one_line(value: str | int | None, told: str) -> None:
    assert shown(value) == told


def test_codes_are_counted_the_most_frequent_first() -> None:
    assert tallied(["empty", "corrupt", "empty"]) == "empty 2, corrupt 1"


def _drawn(*calls: tuple[str, int, int]) -> list[tuple[float, float | None]]:
    progress = Progress(disable=True)
    bars, seen = Bars(progress), []
    for call in calls:
        bars(*call)
        task = progress.tasks[-1]
        seen.append((task.completed, task.total))
    return seen


def test_a_bar_goes_on_where_the_next_shard_begins() -> None:
    calls = [("parse", 5, 10), ("parse", 10, 10), ("parse", 2, 8), ("parse", 8, 8)]
    assert _drawn(*calls) == [(5, 10), (10, 10), (12, 18), (18, 18)]


def test_a_bar_goes_on_where_the_next_shard_is_as_large() -> None:
    assert _drawn(("embed", 10, 10), ("embed", 10, 10), ("embed", 4, 10))[-1] == (14, 20)


def test_an_unknown_total_has_no_end() -> None:
    assert _drawn(("list", 1000, 0), ("list", 2000, 0)) == [(1000, None), (2000, None)]


def test_each_stage_has_a_bar_of_its_own() -> None:
    assert _drawn(("parse", 3, 3), ("chunk", 1, 3)) == [(3, 3), (1, 3)]
