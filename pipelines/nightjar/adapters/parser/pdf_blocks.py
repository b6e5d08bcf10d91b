"""Rows of all pages to elements: headings by size and weight, tables by columns, lines joined, furniture dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from nightjar.adapters.parser.drafts import table
from nightjar.adapters.parser.pdf_rows import Row
from nightjar.model import Element

_MARGIN_ROWS: Final = 2
_MARGIN: Final = 0.08
_NUMBER_BAND: Final = 0.12  # page numbers stand within an inch and a bit of the edge
_REPEATS: Final = 3
_REPEAT_SHARE: Final = 0.3
_HEADING_SIZE: Final = 1.12
_HEADING_LENGTH: Final = 160
_BOLD_HEADING_LENGTH: Final = 110
_LABEL_ROWS: Final = 2
_LONGEST_LABEL: Final = 120
_LONGEST_HEADING: Final = 200  # of several lines
_LINE_GAP: Final = 1.75  # base line to base line, in font sizes; more is a new paragraph
_WIDEST_GAP: Final = 2.6  # where lines are set so far apart that a paragraph can still be told
_FULL_LINE: Final = 40
_BULLET: Final = re.compile(r"^[•·▪●○◦‣■\uf0b7\uf0a7]\s*|^[*\u2013-]\s+")
_NUMBERED: Final = re.compile(r"^\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]\s+\S")
_PAGE_NUMBER: Final = re.compile(
    r"^(?:page\s+)?[-\u2013—|\s]*(?:\d{1,4}|[ivxlc]{1,6})[-\u2013—|\s]*(?:(?:of|/)\s*\d{1,4})?$", re.IGNORECASE
)
_DIGITS: Final = re.compile(r"\d+")
_WORDS: Final = re.compile(r"[\w-]+")
_LETTERS: Final = re.compile(r"[^\W\d_]")
_SOFT: Final = "\u00ad"


@dataclass(frozen=True, slots=True)
class _Look:
    """What running text looks like in this document, and which larger sizes are its headings, largest first.

    `gap` is the most that two base lines of a paragraph are apart, in font sizes.
    """

    body: float
    gap: float
    sizes: tuple[float, ...]
    vocabulary: frozenset[str]

    def depth(self, row: Row) -> int | None:
        """The rank of a row that reads as a heading; None for all others."""
        text = row.text
        if len(row.cells) > 1 or not _LETTERS.search(text) or len(text) > _HEADING_LENGTH or _BULLET.match(text):
            return None
        if row.size in self.sizes:
            return min(self.sizes.index(row.size), 5)
        plain = text.endswith((".", ",", ";")) or len(text) > _BOLD_HEADING_LENGTH
        return min(len(self.sizes), 5) if row.bold and not plain and row.size >= self.body * 0.95 else None


def elements_of_pages(pages: Sequence[Sequence[Row]]) -> Iterator[Element]:
    """Elements in reading order, pages counted from 1."""
    margins = [_margin(rows) for rows in pages]
    body = _look(pages).body
    furniture = _furniture(margins, body)
    kept = [
        [row for index, row in enumerate(rows) if not (index in margin and _is_furniture(row, furniture, body))]
        for rows, margin in zip(pages, margins, strict=True)
    ]
    look = _look(kept)
    for number, rows in enumerate(kept, start=1):
        for block in _blocks(rows, look):
            yield from _element(block, look, page=number)


def _margin(rows: Sequence[Row]) -> Mapping[int, Row]:
    """The rows that may be a page's header or footer: the outermost ones, by reading order or by place."""
    first_last = {*range(min(_MARGIN_ROWS, len(rows))), *range(max(0, len(rows) - _MARGIN_ROWS), len(rows))}
    return {i: row for i, row in enumerate(rows) if i in first_last or not _MARGIN <= row.place <= 1 - _MARGIN}


def _furniture(margins: Sequence[Mapping[int, Row]], body: float) -> frozenset[str]:
    """Lines that stand in the margin of many pages, page numbers aside."""
    seen = Counter(shape for margin in margins for shape in {_shape(row, body) for row in margin.values()})
    least = max(_REPEATS, int(len(margins) * _REPEAT_SHARE))
    return frozenset(shape for shape, times in seen.items() if times >= least)


def _shape(row: Row, body: float) -> str:
    """Larger than running text it is a heading, and each number is another one: Chapter 1, Chapter 2."""
    return row.text if row.size >= body * _HEADING_SIZE else _DIGITS.sub("#", row.text)


def _is_furniture(row: Row, furniture: frozenset[str], body: float) -> bool:
    text = row.text
    if _PAGE_NUMBER.match(text) and not _NUMBER_BAND <= row.place <= 1 - _NUMBER_BAND:
        return True
    return _shape(row, body) in furniture and bool(_LETTERS.search(text))


def _look(pages: Sequence[Sequence[Row]]) -> _Look:
    weights: Counter[float] = Counter()
    words: set[str] = set()
    for row in (row for rows in pages for row in rows):
        weights[row.size] += len(row.text)
        words.update(_WORDS.findall(row.text.lower()))
    body = weights.most_common(1)[0][0] if weights else 1.0
    larger = sorted((size for size in weights if size >= body * _HEADING_SIZE), reverse=True)
    return _Look(body, _line_gap(pages, body), tuple(larger), frozenset(words))


def _line_gap(pages: Sequence[Sequence[Row]], body: float) -> float:
    """A little more than the usual distance of a full line to one that goes on in lower case."""
    gaps = Counter(
        round((above.bottom - row.bottom) / body, 1)
        for rows in pages
        for above, row in pairwise(rows)
        if above.size == row.size == body and len(above.text) > _FULL_LINE and row.text[:1].islower()
    )
    usual = gaps.most_common(1)[0][0] if gaps else 0.0
    return max(_LINE_GAP, usual * 1.15) if usual <= _WIDEST_GAP else _LINE_GAP


def _blocks(rows: Sequence[Row], look: _Look) -> Iterator[list[Row]]:
    """Runs of rows that belong together: one table, one heading or one paragraph each."""
    tabular = _tabular(rows)
    block: list[Row] = []
    for index, row in enumerate(rows):
        pair = tabular[index - 1 : index + 1]
        if block and not (all(pair) if any(pair) else _belongs(block, row, look)):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _tabular(rows: Sequence[Row]) -> list[bool]:
    """Rows of a table: several cells, in company; a row of one cell between two such is a label of theirs."""
    many = [len(row.cells) > 1 for row in rows]
    reach = _LABEL_ROWS + 1
    near = [many[i] and any(many[max(0, i - reach) : i] + many[i + 1 : i + 1 + reach]) for i in range(len(rows))]
    return [near[i] or (_is_label(row) and _is_between(near, i)) for i, row in enumerate(rows)]


def _is_label(row: Row) -> bool:
    return len(row.text) < _LONGEST_LABEL


def _is_between(near: Sequence[bool], index: int) -> bool:
    """At most `_LABEL_ROWS` rows of one cell in a run that begins and ends at rows of several."""
    before = next((step for step in range(1, _LABEL_ROWS + 1) if index >= step and near[index - step]), None)
    after = next((step for step in range(1, _LABEL_ROWS + 1) if any(near[index + step : index + step + 1])), None)
    return before is not None and after is not None and before + after <= _LABEL_ROWS + 1


def _belongs(block: Sequence[Row], row: Row, look: _Look) -> bool:
    """Whether a row of running text goes on where the block stops."""
    last = block[-1]
    headings = look.depth(last), look.depth(row)
    gap = last.bottom - row.bottom
    if headings != (None, None):
        return headings[0] == headings[1] and last.size == row.size and 0 < gap <= _LINE_GAP * row.size
    if _BULLET.match(row.text) or _NUMBERED.match(row.text) or not 0 < gap <= look.gap * max(row.size, last.size):
        return False
    ended = last.text.endswith((".", ":", "?", "!")) and last.right < max(r.right for r in block) - 6 * row.size
    return not ended and abs(row.size - last.size) <= 1.0


def _element(rows: Sequence[Row], look: _Look, *, page: int) -> Iterator[Element]:
    """A table needs two rows of several cells; what stands above the first of them is running text."""
    several = [index for index, row in enumerate(rows) if len(row.cells) > 1]
    start = several[0] if len(several) > 1 else len(rows)
    if start:
        yield _running(rows[:start], look, page=page)
    yield from table([row.cells for row in rows[start:]], page=page)


def _running(rows: Sequence[Row], look: _Look, *, page: int) -> Element:
    lines = [row.text for row in rows] if len(rows) > 1 else [" | ".join(rows[0].cells)]
    text = _flowed(lines, look.vocabulary)
    depth = look.depth(rows[0])
    reads_on = len(rows) > 1 and (len(text) > _LONGEST_HEADING or text.endswith("."))
    if depth is not None and not reads_on:
        return Element("Title", text, page=page, depth=depth)
    if _BULLET.match(text):
        return Element("ListItem", _BULLET.sub("", text), page=page)
    kind = "ListItem" if _NUMBERED.match(text) else "NarrativeText"
    return Element(kind if len(text.split()) > 4 else "Text", text, page=page)  # noqa: PLR2004 - labels are short


def _flowed(lines: Sequence[str], vocabulary: frozenset[str]) -> str:
    """Lines as one text; a word cut at a line's end is made whole unless the document spells it with a hyphen."""
    text = lines[0]
    for _, line in pairwise(lines):
        text = _joined(text, line, vocabulary)
    return text.replace(_SOFT, "")


def _joined(text: str, line: str, vocabulary: frozenset[str]) -> str:
    if text.endswith(_SOFT) or (text.endswith("-") and line[:1].islower()):
        head, tail = text[:-1], line
        pair = (re.findall(r"\w*$", head)[0] + "-" + re.findall(r"^\w*", tail)[0]).lower()
        hyphenated = pair in vocabulary and pair.replace("-", "") not in vocabulary
        return f"{head}-{tail}" if hyphenated else head + tail
    return f"{text} {line}"
