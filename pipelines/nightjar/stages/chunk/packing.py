"""Blocks to groups of units that fit one chunk each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from nightjar.stages.chunk.sections import Path
from nightjar.stages.chunk.units import Block, Unit

Room = Callable[[Unit], int]
"""How many tokens of text a chunk may hold that begins with this unit."""


def families(blocks: Sequence[Block], *, room: Room) -> Iterator[list[Block]]:
    """Runs of sections that one chunk can hold and that share a parent; a section above that is a run of its own."""
    family: list[Block] = []
    root: Path = ()
    size = 0
    introduces = True  # so far the family does nothing else
    for path, section in groupby(blocks, key=lambda block: block.units[0].place.path):
        members = list(section)
        tokens = sum(block.tokens for block in members)
        fits = size + tokens <= (room(family[0].units[0]) if family else 0) and path[: len(root[:-1])] == root[:-1]
        if family and not fits and not introduces:
            yield family
            family, size, introduces = [], 0, True
        root = root if family else path
        family.extend(members)
        size += tokens
        introduces = introduces and all(unit.introduces for block in members for unit in block.units)
    if family:
        yield family


def packed(family: Sequence[Block], *, room: Room, overlap: int) -> Iterator[tuple[Unit, ...]]:
    """Fill chunks with the units of one family, in order; at most `overlap` tokens are repeated from the chunk before.

    A unit that introduces goes with what follows it, and a whole block that one chunk can hold is not cut.
    """
    packer = _Packer(room=room, overlap=overlap)
    for block in family:
        if block.whole and block.tokens <= room(block.units[0]) and not packer.holds(block.tokens):
            yield from packer.turned(block.tokens)
        for unit in block.units:
            if not packer.holds(unit.tokens):
                yield from packer.turned(unit.tokens)
            packer.add(unit)
    yield from packer.rest()


class _Packer:
    """The chunk that is being filled: units repeated from the one before, then its own."""

    def __init__(self, *, room: Room, overlap: int) -> None:
        self._room = room
        self._overlap = overlap
        self._repeated: tuple[Unit, ...] = ()
        self._own: list[Unit] = []
        self._tokens = 0

    def add(self, unit: Unit) -> None:
        """Take one more unit; the caller has asked whether it holds."""
        if not self._repeated and not self._own:
            self._tokens = unit.header_tokens
        self._own.append(unit)
        self._tokens += unit.tokens

    def holds(self, tokens: int) -> bool:
        """True if `tokens` more fit; an empty chunk holds whatever fits a chunk."""
        filled = (*self._repeated, *self._own[:1])
        if not filled:
            return True
        return self._tokens + tokens <= self._room(filled[0])

    def turned(self, tokens: int) -> Iterator[tuple[Unit, ...]]:
        """Finish the chunk and begin one that holds `tokens` more; what cannot be carried into it is finished too."""
        own, carried = _without_introduction(self._own)
        if own:
            yield (*self._repeated, *own)
            self._begin(_tail(own, limit=self._overlap), carried)
        if not self.holds(tokens):
            self._begin((), self._own)
        if not self.holds(tokens):
            yield tuple(self._own)
            self._begin((), [])

    def rest(self) -> Iterator[tuple[Unit, ...]]:
        """The last chunk, if it has anything of its own."""
        if self._own:
            yield (*self._repeated, *self._own)

    def _begin(self, repeated: tuple[Unit, ...], own: list[Unit]) -> None:
        units = (*repeated, *own)
        self._repeated = repeated
        self._own = own
        self._tokens = sum(unit.tokens for unit in units) + (units[0].header_tokens if units else 0)


def _without_introduction(units: list[Unit]) -> tuple[list[Unit], list[Unit]]:
    """Split off trailing units that introduce what follows: headings, and lines that end with a colon."""
    end = len(units)
    while end and units[end - 1].introduces:
        end -= 1
    return units[:end], units[end:]


def _tail(units: Sequence[Unit], *, limit: int) -> tuple[Unit, ...]:
    """The last units within `limit` tokens; rows of tables are never repeated, their header is."""
    start = len(units)
    spent = 0
    while start and not units[start - 1].header and spent + units[start - 1].tokens <= limit:
        start -= 1
        spent += units[start].tokens
    return tuple(units[start:])
