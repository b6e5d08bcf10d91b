"""What a night is given: its corpus and its doors. Heavy ones are opened by the first step that needs them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nightjar.corpus import Corpus
from nightjar.flows.points import Point
from nightjar.ports import Embedder, Index, Inspector, Parser, Scorer, Source, StateStore, Tokenizer
from nightjar.recipe import Recipe

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total); total 0 when unknown."""


def unseen(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Services:
    """One corpus's doors; `wiring` makes it, `flows` use it, nothing else knows the adapters."""

    corpus: Corpus
    source: Source
    state: StateStore
    open_index: Callable[[], Index]
    lease_ttl_s: float
    recipe: Callable[[], Recipe]
    tokenizer: Callable[[], Tokenizer]
    parser: Callable[[], Parser]
    embedder: Callable[[], Embedder]
    inspector: Callable[[], Inspector]
    scorer: Scorer
    clock: Callable[[], datetime]
    work_folder: Path
    progress: Progress
    close: Callable[[], None]
    passing: Callable[[Point], None] = lambda _point: None
    opened_ahead: Callable[[], AbstractContextManager[None]] = nullcontext
    """Around work that will need the heavy doors later, in the same process."""

    @property
    def index(self) -> Index:
        """The corpus's index; connected when it is first asked something."""
        return self.open_index()
