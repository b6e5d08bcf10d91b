"""Where a text may be cut: sentences first, then lines, clauses and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int]

# A western full stop ends a sentence only before white space; an ideographic one needs none.
_END: Final = re.compile(
    r"(?<=[.!?…؟।۔])[\"'”’»)\]]*\s+"  # noqa: RUF001 - other scripts' marks are meant
    r"|(?<=[。！？｡])[”’」』）》]*\s*"  # noqa: RUF001 - as above
    r"|\n\s*\n\s*"
)
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|al|Fig|Figs|Eq|No|Nos|Vol|pp|cf|ca|approx|Inc|Ltd|Co|Corp|Dept|Art|Sec"
    r"|e\.g|i\.e|bzw|usw|Nr|Abs|[A-Z])\.)$"
)
_LONGEST_ABBREVIATION: Final = 8
_CUTS: Final = (
    re.compile(r"\n"),
    re.compile(r"(?<=[;:,])\s+|(?<=[，；：、])"),  # noqa: RUF001 - other scripts' marks are meant
    re.compile(r"\s+"),
)


def sentence_spans(text: str) -> Iterator[Span]:
    """(start, end) of each sentence in order, white space between them left out."""
    start = 0
    for end in _END.finditer(text):
        if _is_abbreviation(text, end):
            continue
        if sentence := text[start : end.end()].rstrip():
            yield start, start + len(sentence)
            start = end.end()
    if text[start:].strip():
        yield start, len(text.rstrip())


def line_spans(text: str) -> Iterator[Span]:
    """(start, end) of each line that holds more than white space; indentation stays with its line."""
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            yield start, start + len(line.rstrip())
        start += len(line)


def best_cut(text: str, *, start: int, end: int) -> int:
    """Where to cut text[start:end], in its second half, so that least is torn; `end` where nothing offers itself."""
    middle = start + (end - start) // 2
    for kind in _CUTS:
        cuts = [found.end() for found in kind.finditer(text, middle, end) if found.end() > start]
        if cuts:
            return cuts[-1]
    return end


def _is_abbreviation(text: str, end: re.Match[str]) -> bool:
    if end.group().strip() or "\n\n" in end.group():
        return False
    window = text[max(0, end.start() - _LONGEST_ABBREVIATION) : end.start()]
    return _ABBREVIATION.search(window) is not None
