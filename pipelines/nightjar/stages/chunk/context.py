"""The title and heading trail that go before a passage in what the model reads."""

from __future__ import annotations

from dataclasses import dataclass

from nightjar.ports import Tokenizer
from nightjar.stages.chunk.sections import Path


@dataclass(frozen=True, slots=True)
class Context:
    """What is prefixed, and what it costs."""

    text: str
    tokens: int


class ContextMaker:
    """Contexts of one document, each path's made once."""

    def __init__(self, title: str, tokenizer: Tokenizer, *, limit: int) -> None:
        self._title = " ".join(title.split())
        self._tokenizer = tokenizer
        self._limit = limit
        self._made: dict[Path, Context] = {}

    def context(self, above: Path, *, begins: str) -> Context:
        """For a passage below the headings `above` whose text begins with `begins`.

        The nearest heading is kept first, then the title, then what lies between. A title that the passage begins
        with, or that is the first heading, is not said twice.
        """
        lines = self._lines(above, begins)
        if lines not in self._made:
            self._made[lines] = self._make(lines)
        return self._made[lines]

    def _make(self, lines: Path) -> Context:
        sizes = [len(self._tokenizer.offsets(line)) for line in lines]
        kept: set[int] = set()
        spent = 0
        for index in _by_worth(len(lines)):
            if spent + sizes[index] <= self._limit:
                kept.add(index)
                spent += sizes[index]
        return Context("\n".join(lines[index] for index in sorted(kept)), spent)

    def _lines(self, above: Path, begins: str) -> Path:
        first = above[0] if above else " ".join(begins[: len(self._title) * 2].split())
        if not self._title or first.casefold().startswith(self._title.casefold()):
            return above
        return (self._title, *above)


def _by_worth(count: int) -> list[int]:
    """The nearest heading first, then the title, then inwards from the nearest."""
    return [] if not count else [count - 1, *([0] if count > 1 else []), *range(count - 2, 0, -1)]
