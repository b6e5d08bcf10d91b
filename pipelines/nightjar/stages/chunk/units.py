"""The pieces that chunks are packed from: sentences, list items, table rows, lines of code, headings."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from nightjar.ports import Tokenizer
from nightjar.stages.chunk.sections import Placed
from nightjar.stages.chunk.sentences import Span, best_cut, line_spans, sentence_spans

_CHARACTERS_PER_TOKEN: Final = 20  # more than any word of a vocabulary has; bounds a chunk of words unknown to it
_SHORT_INTRODUCTION: Final = 60
_SLICE: Final = 100_000  # characters
_NUMBER: Final = re.compile(r"\W*\d[\d\s.,']*\W*")
_YEAR: Final = re.compile(r"(?:1[89]|20)\d\d")


@dataclass(frozen=True, slots=True)
class Unit:
    """Text that is kept whole where possible; `lead` is the white space between it and the unit before.

    `header` names the columns of the table that a row belongs to, and costs `header_tokens` where a chunk begins
    between the two. A unit that `introduces` never ends a chunk. `tokens` is only a bound where a unit `is_bounded`:
    a torn piece of a word changes its tokens when it meets the next one, and unknown words may be of any length.
    """

    text: str
    lead: str
    tokens: int
    place: Placed
    introduces: bool = False
    is_bounded: bool = False
    header: str = ""
    header_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Units that belong together: a paragraph, a list, a table; `whole` asks not to be cut if one chunk can hold it."""

    units: tuple[Unit, ...]
    whole: bool

    @property
    def tokens(self) -> int:
        """Of all units."""
        return sum(unit.tokens for unit in self.units)


class UnitMaker:
    """Cuts elements for one tokenizer; `room` is the most tokens that any unit may have."""

    def __init__(self, tokenizer: Tokenizer, *, room: int) -> None:
        self._tokenizer = tokenizer
        self._room = room

    def blocks(self, placed: Placed, *, lead: str) -> Iterator[Block]:
        """The blocks of one element; `lead` separates the first from what stands before."""
        text = placed.element.text.strip("\n").rstrip()
        starts = self._starts(text)
        match placed.element.kind:
            case "Table":
                yield self._table(text, starts, placed, lead)
            case "CodeSnippet":
                yield from self._code(text, starts, placed, lead)
            case "ListItem":
                yield Block(tuple(self._units(text, starts, _whole_span(text), placed, lead)), whole=True)
            case _:
                yield Block(tuple(self._prose(text, starts, placed, lead)), whole=False)

    def count(self, text: str) -> int:
        """Tokens of a text that stands alone, without special tokens."""
        return len(self._tokenizer.offsets(text))

    def _starts(self, text: str) -> Sequence[int]:
        """Where each token begins; a long text in slices, as a tokenizer takes hundreds of bytes a letter."""
        starts = array("I")
        position = 0
        while position < len(text):
            limit = position + _SLICE
            end = len(text) if limit >= len(text) else best_cut(text, start=position, end=limit)
            starts.extend(position + start for start, _ in self._tokenizer.offsets(text[position:end]))
            position = end
        return starts

    def halves(self, unit: Unit) -> tuple[Unit, ...]:
        """A unit that proved too long once it stood in its chunk, cut into at least two."""
        room = max(1, unit.tokens // 2)
        return tuple(self._torn(unit.text, unit.lead, unit.place, room=room))

    def _prose(self, text: str, starts: Sequence[int], placed: Placed, lead: str) -> Iterator[Unit]:
        introduces = placed.is_heading or (text.endswith(":") and len(starts) <= _SHORT_INTRODUCTION)
        spans = _whole_span(text) if placed.is_heading else sentence_spans(text)
        units = list(self._units(text, starts, spans, placed, lead))
        yield from units[:-1]
        last = units[-1]
        yield replace(last, introduces=introduces and len(units) == 1)

    def _code(self, text: str, starts: Sequence[int], placed: Placed, lead: str) -> Iterator[Block]:
        paragraph: list[Unit] = []
        for unit in self._units(text, starts, line_spans(text), placed, lead):
            if paragraph and unit.lead.count("\n") > 1:
                yield Block(tuple(paragraph), whole=True)
                paragraph = []
            paragraph.append(unit)
        yield Block(tuple(paragraph), whole=True)

    def _table(self, text: str, starts: Sequence[int], placed: Placed, lead: str) -> Block:
        spans = list(line_spans(text))
        header = text[slice(*spans[0])]
        header_tokens = _tokens_within(starts, spans[0])
        if len(spans) == 1 or _weight(header_tokens, header) > self._room // 4 or not _names_columns(header):
            return Block(tuple(self._units(text, starts, iter(spans), placed, lead)), whole=True)
        first = self._units(text, starts, iter(spans[:1]), placed, lead)
        room = self._room - header_tokens
        rows = self._units(text, starts, iter(spans[1:]), placed, "\n", room=room)
        headed = (replace(row, header=header, header_tokens=header_tokens) for row in rows)
        return Block((*first, *headed), whole=True)

    def _units(
        self, text: str, starts: Sequence[int], spans: Iterator[Span], placed: Placed, lead: str, *, room: int = 0
    ) -> Iterator[Unit]:
        """One unit a span, several where one is above `room`; each leads with the white space that stood before it."""
        end_before: int | None = None
        for start, end in spans:
            before = lead if end_before is None else text[end_before:start]
            tokens = _tokens_within(starts, (start, end))
            weight = _weight(tokens, text[start:end])
            if weight <= (room or self._room):
                yield Unit(text[start:end], before, weight, placed, is_bounded=weight > tokens)
            else:
                yield from self._torn(text[start:end], before, placed, room=(room or self._room) // 2)
            end_before = end

    def _torn(self, text: str, lead: str, placed: Placed, *, room: int) -> Iterator[Unit]:
        """Cut what no boundary divides; each piece is counted anew, for a cut inside a word changes its tokens."""
        starts = self._starts(text)
        position = 0
        while position < len(text):
            end = self._reach(text, starts, position, room=room)
            piece = text[position:end]
            tokens = self.count(piece)
            while tokens > room:
                shorter = position + max(1, (end - position) * room // tokens - 1)
                end = best_cut(text, start=position, end=shorter)
                piece = text[position:end]
                tokens = self.count(piece)
            if piece.strip():
                yield Unit(piece.strip(), lead, _weight(tokens, piece), placed, is_bounded=True)
                lead = piece[len(piece.rstrip()) :]
            position = end

    def _reach(self, text: str, starts: Sequence[int], position: int, *, room: int) -> int:
        """The best place to cut after `position` with at most `room` tokens before it."""
        first = bisect_left(starts, position)
        limit = starts[first + room] if first + room < len(starts) else len(text)
        limit = min(limit, position + room * _CHARACTERS_PER_TOKEN)
        if limit >= len(text):
            return len(text)
        return best_cut(text, start=position, end=max(limit, position + 1))


def _tokens_within(starts: Sequence[int], span: Span) -> int:
    return bisect_left(starts, span[1]) - bisect_left(starts, span[0])


def _weight(tokens: int, text: str) -> int:
    """Tokens, or as many as so many characters stand for at least."""
    return max(tokens, -(-len(text.strip()) // _CHARACTERS_PER_TOKEN))


def _names_columns(row: str) -> bool:
    """False for a table's first row that is one of values: it has a number that is no year, or begins with `label:`."""
    cells = [cell.strip() for cell in row.split("|")]
    valued = any(_NUMBER.fullmatch(cell) and not _YEAR.fullmatch(cell) for cell in cells)
    return not valued and not cells[0].endswith(":")


def _whole_span(text: str) -> Iterator[Span]:
    yield len(text) - len(text.lstrip()), len(text.rstrip())
