"""Words on a page to rows of cells: what stands on one line, cut where the gap is wider than a space."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

_SAME_LINE: Final = 0.35  # share of the font size by which base lines may differ
_WIDE_GAP: Final = 1.0  # gap between cells, in font sizes
_NUMBER_GAP: Final = 0.55  # the same before a number, which stands in a column of its own
_NUMERIC: Final = re.compile(r"[($€£¥—\u2013-]*\s*[\d.,]*\d[\d.,]*\s*[)%]*(?:\s*%)?$|[—\u2013-]$|N/?A$|\$$")
_MARKER: Final = re.compile(
    r"(?:[•·▪●○◦‣■\uf0b7\uf0a7*\u2013—-]|\(?\d{1,3}[.)]|\(?[a-z][.)]|\(?[ivx]{1,4}[.)]"
    r"|(?:Item|Part|Note|Section|Chapter)\s+\w{1,4}[.:])$",
    re.IGNORECASE,
)
_DEEPEST_HEAD: Final = 4
_SHORT_HEAD: Final = 30
_OPENS: Final = ("$", "€", "£", "¥", "(", "$(")
_CLOSES: Final = (")", "%", ")%")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box in points from the page's lower left; `breaks`: a new line began before it."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool
    breaks: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What stands on one line: cells from left to right, its look, its place (0 at the page's top, 1 at its bottom)."""

    cells: tuple[str, ...]
    left: float
    right: float
    bottom: float
    size: float
    bold: bool
    place: float

    @property
    def text(self) -> str:
        """The row as running text."""
        return " ".join(self.cells)


def rows_of(words: Sequence[Word], *, height: float) -> list[Row]:
    """Rows in reading order; consecutive lines on one base line, as a table's columns are, become one row."""
    return list(_unstacked([_row(line, height=height) for line in _lines(words)]))


def _unstacked(rows: Sequence[Row]) -> Iterator[Row]:
    """Column heads of several lines ("June 25," over "2022") come column by column: make one row of them."""
    start = 0
    while start < len(rows):
        stacks = _stacks(rows, start)
        taken = sum(map(len, stacks))
        if len(stacks) > 1 and taken > len(stacks):
            cells = tuple(" ".join(row.text for row in stack) for stack in stacks)
            yield replace(rows[start], cells=cells, right=stacks[-1][0].right)
            start += taken
        else:
            yield rows[start]
            start += 1


def _stacks(rows: Sequence[Row], start: int) -> list[Sequence[Row]]:
    """Columns side by side from `start` on, each of short lines one below the other, all beginning at one height."""
    stacks: list[Sequence[Row]] = []
    position = start
    while position < len(rows):
        row = rows[position]
        beside = not stacks or (abs(row.bottom - rows[start].bottom) < row.size / 2 and row.left > stacks[-1][0].right)
        if not beside or not _is_short(row):
            break
        deepest = max((len(stack) for stack in stacks), default=_DEEPEST_HEAD)
        end = position + 1
        while end < len(rows) and end - position < deepest and _is_below(rows[end], rows[end - 1]):
            end += 1
        stacks.append(rows[position:end])
        position = end
    return stacks


def _is_short(row: Row) -> bool:
    return len(row.cells) == 1 and len(row.text) <= _SHORT_HEAD


def _is_below(row: Row, above: Row) -> bool:
    near = 0 < above.bottom - row.bottom <= 2 * row.size
    return _is_short(row) and near and row.left < above.right and row.right > above.left


def _lines(words: Sequence[Word]) -> Iterator[list[Word]]:
    line: list[Word] = []
    for word in words:
        if line and not _continues(line, word):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _continues(line: Sequence[Word], word: Word) -> bool:
    last = line[-1]
    level = abs(word.bottom - last.bottom) <= _SAME_LINE * max(word.size, last.size, 1.0)
    if not word.breaks:
        return level or word.left >= last.left
    return level and word.left >= last.right - 1.0


def _row(line: Sequence[Word], *, height: float) -> Row:
    size = max(line, key=lambda word: len(word.text)).size
    place = 1 - line[0].bottom / height if height > 0 else 0.5
    bold = sum(len(word.text) for word in line if word.bold) > sum(len(word.text) for word in line) * 0.8
    right = max(word.right for word in line)
    return Row(tuple(_joined(_cells(line, size=size or 1.0))), line[0].left, right, line[0].bottom, size, bold, place)


def _cells(line: Sequence[Word], *, size: float) -> list[str]:
    cells = [line[0].text]
    for last, word in pairwise(line):
        gap = (word.left - last.right) / size
        column = _NUMERIC.match(word.text) and _NUMERIC.match(last.text)
        if gap > (_NUMBER_GAP if column else _WIDE_GAP):
            cells.append(word.text)
        else:
            cells[-1] += " " + word.text
    return cells


def _joined(cells: Sequence[str]) -> list[str]:
    """A currency sign belongs to the number after it, a bracket to the one before, a bullet to its text."""
    joined: list[str] = []
    for cell in cells:
        if joined and (cell in _CLOSES or joined[-1] in _OPENS):
            joined[-1] += cell
        elif len(joined) == 1 and _MARKER.match(joined[0]) and not _NUMERIC.match(cell):
            joined[-1] += " " + cell
        else:
            joined.append(cell)
    return joined
