"""A small world for flow tests: one corpus, every door in memory, nights that can be cut short anywhere."""

from __future__ import annotations

import copy
import itertools
import tempfile
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from nightjar.adapters.ir_scorer import IrScorer
from nightjar.adapters.memory.embedder import MemoryEmbedder, MemoryTokenizer
from nightjar.adapters.memory.index import MemoryIndex
from nightjar.adapters.memory.parser import MemoryParser
from nightjar.adapters.memory.source import MemorySource
from nightjar.adapters.memory.state import MemoryState
from nightjar.corpus import Corpus
from nightjar.flows.night import run_night
from nightjar.flows.rollback import ask_return
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.tidying import tidy
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import read_live
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName, Violation
from nightjar.owner import Owner
from nightjar.ports import Hit, Index, Query, StateStore
from nightjar.recipe import Recipe

CHANGES = {"write", "create", "replace", "delete", "drop", "point", "describe", "extend"}
"""Operations that leave a trace: a death between two readings is a death before the next of these."""


class Killed(BaseException):
    """The process died here: no `except Exception` may swallow it."""


class Killer:
    """Wraps a door; its changes count down together with other doors', and at zero the process dies."""

    def __init__(self, door: Any, countdown: itertools.count[int], *, at: int) -> None:
        self._door, self._countdown, self._at = door, countdown, at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._door, name)
        if name not in CHANGES:
            return found

        def counted(*args: Any, **named: Any) -> Any:
            if next(self._countdown) == self._at:
                raise Killed
            return found(*args, **named)

        return counted


class Suites:
    """An inspector that objects to rows by a rule of the test's own."""

    def __init__(self) -> None:
        self.identity = "suites"
        self.objects_to: Callable[[str, Mapping[str, Any]], Violation | None] = lambda _suite, _row: None

    def check(self, suite: str, table: pa.Table, *, row_id: str) -> list[Violation]:
        del row_id
        found = (self.objects_to(suite, row) for row in table.to_pylist())
        return [violation for violation in found if violation is not None]


class LosingIndex(MemoryIndex):
    """An index whose collections somebody else may remove, alias or not, and whose server may be killed."""

    def __init__(self) -> None:
        super().__init__()
        self._unfound: set[tuple[CollectionName, ChunkId]] = set()

    def lose(self, alias: str) -> None:
        name = self.alias(alias)
        assert name is not None
        del self._collections[name]

    def lose_graph(self, name: CollectionName, *, only: Container[str] | None = None) -> None:
        """What a killed server does: objects stand, no vector finds them, and writing them again changes nothing."""
        standing = (each.chunk_id for each in self.scan(name, vectors=False))
        self._unfound |= {(name, chunk_id) for chunk_id in standing if only is None or chunk_id in only}

    def drop(self, name: CollectionName) -> None:
        super().drop(name)
        self._unfound = {pair for pair in self._unfound if pair[0] != name}

    def search(self, name: str, query: Query) -> list[Hit]:
        if query.mode != "vector" or not self._unfound:
            return super().search(name, query)
        target = self.alias(name) or CollectionName(name)
        every = super().search(name, replace(query, limit=self.count(target)))
        return [hit for hit in every if (target, hit.chunk_id) not in self._unfound][: query.limit]


class Door:
    """Another index before the world's own."""

    def __init__(self, index: MemoryIndex) -> None:
        self._index = index

    def __getattr__(self, name: str) -> object:
        return getattr(self._index, name)


def handbook(**sections: Any) -> Corpus:
    """The corpus file of the world, with further sections of it."""
    base = {"name": "handbook", "source": {"uri": "s3://documents/h/"}, "state": "s3://state/handbook/"}
    return Corpus.model_validate(base | sections)


@dataclass
class World:
    """Documents are put into `source`; `night()` runs one; `served()` is what people would find."""

    folder: Path
    corpus: Corpus = field(default_factory=handbook)
    source: MemorySource = field(default_factory=lambda: MemorySource(bucket="documents", prefix="h/"))
    state: MemoryState = field(default_factory=MemoryState)
    index: LosingIndex = field(default_factory=LosingIndex)
    suites: Suites = field(default_factory=Suites)
    parser: MemoryParser = field(default_factory=MemoryParser)
    embedder: MemoryEmbedder = field(default_factory=MemoryEmbedder)
    model: str = "memory"
    chunker: str = "1"
    nights: int = 0

    def twin(self) -> World:
        """A world of its own in the same condition; only the lock of its store is shared."""
        lock = self.state._lock
        return copy.deepcopy(self, {id(lock): lock})

    def put(self, name: str, text: str) -> None:
        self.source.put(f"h/{name}", text.encode())

    def remove(self, *names: str) -> None:
        for name in names:
            self.source.remove(f"h/{name}")

    def configure(self, **sections: Any) -> None:
        """Change the corpus file, section by section."""
        resolved = self.corpus.resolved()
        changed = {name: {**resolved[name], **keys} for name, keys in sections.items()}  # type: ignore[dict-item]
        self.corpus = Corpus.from_resolved({**resolved, **changed})

    def recipe(self, tokenizer: MemoryTokenizer) -> Recipe:
        """As `wiring` makes it: settings of the corpus file, and what libraries bring."""
        chunk = self.corpus.chunk
        return Recipe(
            parse={**self.parser.recipe, "strategy": self.corpus.parse.strategy},
            chunk={
                "rules": self.chunker,
                "max_tokens": str(chunk.max_tokens or "usual"),
                "overlap_tokens": str(chunk.overlap_tokens),
                "headings": str(chunk.headings),
                "tokenizer": tokenizer.identity,
            },
            embed={"model": self.model},
        )

    def services(self, *, state: StateStore | None = None, index: Index | None = None) -> Services:
        moments = itertools.count()
        start = datetime(2026, 1, 1, 2, tzinfo=UTC) + timedelta(days=self.nights)
        tokenizer = MemoryTokenizer()
        return Services(
            corpus=self.corpus,
            source=self.source,
            state=state or self.state,
            open_index=lambda: index or self.index,
            recipe=lambda: self.recipe(tokenizer),
            tokenizer=lambda: tokenizer,
            parser=lambda: self.parser,
            embedder=lambda: self.embedder,
            inspector=lambda: self.suites,
            scorer=IrScorer(),
            clock=lambda: start + timedelta(seconds=next(moments)),
            work_folder=self.folder,
            lease_ttl_s=60.0,
            progress=lambda _what, _done, _total: None,
            close=lambda: None,
        )

    def night(self, *, kill_at: int | None = None, index: Any = None, **options: Any) -> Mapping[str, Any]:
        self.nights += 1
        services = self.services(index=index)
        if kill_at is not None:
            steps = itertools.count()
            services = self.services(
                state=Killer(self.state, steps, at=kill_at), index=Killer(self.index, steps, at=kill_at)
            )
        return run_night(
            services, run_id=f"night-{self.nights}", owner=Owner.dag("reindex_handbook"), options=Options(**options)
        )

    def served(self) -> dict[str, tuple[Mapping[str, Any], bytes]]:
        """Chunk id → (properties, vector) of what the alias names."""
        target = self.index.alias(self.corpus.alias)
        if target is None:
            return {}
        return {o.chunk_id: (o.properties, o.vector.tobytes()) for o in self.index.scan(target, vectors=True)}

    def texts(self) -> set[str]:
        return {properties["text"] for properties, _ in self.served().values()}

    def consistent(self) -> None:
        """The alias, `live.json`, the collection's record and its objects say the same."""
        live = read_live(self.state)
        target = self.index.alias(self.corpus.alias)
        assert (live.collection if live else None) == target
        if live is not None:
            assert disagreement(self.services(), live) is None
            assert self.index.count(CollectionName(live.collection)) == len(self.served())


def three_nights(folder: Path, strategy: str) -> tuple[World, list[Mapping[str, Any]]]:
    """A world with three versions, and what each of them served."""
    world, served = _three_nights(strategy)
    return replace(world.twin(), folder=folder), list(served)


@cache
def _three_nights(strategy: str) -> tuple[World, list[Mapping[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), handbook(index={"strategy": strategy}))
        served = []
        for days in ("thirty", "forty", "fifty"):
            world.put("leave.txt", f"# Leave\n\nEveryone has {days} days of leave a year.")
            world.put(f"{days}.txt", f"# {days}\n\nThe news of that night.")
            world.night()
            served.append(world.served())
    return world, served


def roll_back(world: World, *, to: int | None = None, kill_at: int | None = None) -> None:
    world.nights += 1
    services = world.services()
    if kill_at is not None:
        steps = itertools.count()
        services = world.services(
            state=Killer(world.state, steps, at=kill_at), index=Killer(world.index, steps, at=kill_at)
        )
    ask_return(services, to=to, reason="")
    lease = Lease.acquire(
        services.state, run_id=f"rollback-{world.nights}", owner=Owner.dag("reindex_handbook"), ttl_s=60.0
    )
    tidy(services, actor="somebody", lease=lease)
    lease.release()
