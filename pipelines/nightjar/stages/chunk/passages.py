"""The stage itself: a parsed document to its chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Final

from nightjar.model import Chunk, ParsedDocument
from nightjar.ports import Tokenizer
from nightjar.stages.chunk.context import Context, ContextMaker
from nightjar.stages.chunk.packing import families, packed
from nightjar.stages.chunk.rules import ChunkRules
from nightjar.stages.chunk.sections import Placed, common_path, placed
from nightjar.stages.chunk.units import Block, Unit, UnitMaker

_LARGEST_TABLE_HTML: Final = 20_000  # bytes
_ITEM: Final = "ListItem"
_NO_CONTEXT: Final = Context("", 0)
_PROBES: Final = ("Reindexing naïvely", "e-mails, URLs:", "(東京) 42%", "unbelievable")


def chunk(document: ParsedDocument, *, tokenizer: Tokenizer, rules: ChunkRules) -> tuple[Chunk, ...]:
    """Passages of at most `rules.max_tokens`, in reading order, ordinals from 0; none for a document without text.

    Every word of the document stands in some chunk's text, in order. Equal arguments give equal chunks.

    Raises:
        Misconfigured: the rules leave no room for text, or ask for more than the model reads.
    """
    return tuple(_Chunker(document.title, tokenizer, rules).chunks(document))


class _Chunker:
    """One document's cutting, with what the tokenizer allows worked out once."""

    def __init__(self, title: str, tokenizer: Tokenizer, rules: ChunkRules) -> None:
        self._rules = rules
        self._room = rules.room(tokenizer)
        context_room = rules.context_room(tokenizer)
        self._contexts = ContextMaker(title, tokenizer, limit=context_room)
        self._units = UnitMaker(tokenizer, room=self._room - context_room)
        self._adds_up = _adds_up(self._units)

    def chunks(self, document: ParsedDocument) -> Iterator[Chunk]:
        """All chunks of the document."""
        blocks = list(_joined(self._blocks(tuple(placed(document.elements)))))
        runs = families(blocks, room=self._room_after)
        groups = chain.from_iterable(
            packed(run, room=self._room_after, overlap=self._rules.overlap_tokens) for run in runs
        )
        settled = chain.from_iterable(self._settled(group) for group in groups)
        for ordinal, (units, tokens) in enumerate(settled):
            yield self._chunk(ordinal, units, tokens)

    def _blocks(self, elements: Sequence[Placed]) -> Iterator[Block]:
        before: Placed | None = None
        for place in elements:
            yield from self._units.blocks(place, lead=_lead(before, place))
            before = place

    def _room_after(self, first: Unit) -> int:
        return self._room - self._context(first).tokens

    def _context(self, first: Unit) -> Context:
        return self._contexts.context(first.place.above, begins=first.text) if self._rules.headings else _NO_CONTEXT

    def _settled(self, units: tuple[Unit, ...]) -> Iterator[tuple[tuple[Unit, ...], int]]:
        """The group and its exact tokens; halved while a tokenizer whose counts do not add up finds it too long."""
        tokens = self._tokens(units)
        if tokens <= self._room:
            yield units, tokens + self._rules.max_tokens - self._room
            return
        units = units if len(units) > 1 else self._units.halves(units[0])
        middle = len(units) // 2
        yield from self._settled(units[:middle])
        yield from self._settled(units[middle:])

    def _tokens(self, units: tuple[Unit, ...]) -> int:
        context = self._context(units[0])
        if self._adds_up and not any(unit.is_bounded for unit in units):
            return context.tokens + units[0].header_tokens + sum(unit.tokens for unit in units)
        return self._units.count(f"{context.text}\n{_text(units)}" if context.text else _text(units))

    def _chunk(self, ordinal: int, units: tuple[Unit, ...], tokens: int) -> Chunk:
        body = [unit for unit in units if not unit.place.is_heading] or list(units)
        pages = [unit.place.element.page for unit in units if unit.place.element.page is not None]
        return Chunk(
            ordinal=ordinal,
            text=_text(units),
            context=self._context(units[0]).text,
            heading_path=common_path([unit.place.path for unit in body]),
            page_first=min(pages, default=None),
            page_last=max(pages, default=None),
            token_count=tokens,
            element_type=_main_kind(body),
            table_html=_table_html(body),
        )


def _adds_up(units: UnitMaker) -> bool:
    """True where a text's tokens are the sum of its parts', so that no chunk need be counted again.

    WordPiece adds up at white space and punctuation (0 of 1,026 splits of real text differ); byte-level vocabularies,
    whose tokens hold the space before a word, do not.
    """
    parts = sum(units.count(probe) for probe in _PROBES)
    return all(units.count(space.join(_PROBES)) == parts for space in (" ", "\n", "\n\n"))


def _joined(blocks: Iterator[Block]) -> Iterator[Block]:
    """List items that follow one another as one block."""
    for (is_item, _), run in groupby(
        blocks, key=lambda block: (_kind(block.units[0]) == _ITEM, block.units[0].place.path)
    ):
        if is_item:
            yield Block(tuple(unit for block in run for unit in block.units), whole=True)
        else:
            yield from run


def _lead(before: Placed | None, place: Placed) -> str:
    """The white space between two elements: a line for a heading's text and for list items, else a blank line."""
    if before is None:
        return ""
    close = before.is_heading or before.element.kind == place.element.kind == _ITEM
    return "\n" if close else "\n\n"


def _text(units: Sequence[Unit]) -> str:
    header = f"{units[0].header}\n" if units[0].header else ""
    return header + units[0].text + "".join(unit.lead + unit.text for unit in units[1:])


def _kind(unit: Unit) -> str:
    return unit.place.element.kind


def _main_kind(units: Sequence[Unit]) -> str:
    """The kind of element that most of the tokens come from; the first of equals."""
    tokens: Counter[str] = Counter()
    for unit in units:
        tokens[_kind(unit)] += unit.tokens
    return tokens.most_common(1)[0][0]


def _table_html(body: Sequence[Unit]) -> str | None:
    """The markup of the table that a chunk consists of, if it is all of it and not too large to store."""
    element = body[0].place.element
    if element.table_html is None or len(element.table_html.encode("utf-8", "surrogatepass")) > _LARGEST_TABLE_HTML:
        return None
    return element.table_html if _text(body).split() == element.text.split() else None
