"""Is everything there that a run needs? Each check asks one door and says what it found, or the remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

from nightjar.errors import Misconfigured, NightjarError
from nightjar.flows.checkouts import is_ours
from nightjar.flows.services import Services
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import read_live
from nightjar.lease import standing
from nightjar.plural import counted
from nightjar.stages.quality import CHUNK_ROW, CHUNKS, DOCUMENT_ROW, DOCUMENTS, EMBEDDINGS

_SUITES: Final = {
    "documents": (DOCUMENTS, DOCUMENT_ROW),
    "chunks": (CHUNKS, CHUNK_ROW),
    "embeddings": (EMBEDDINGS, CHUNK_ROW),
}
_GIB: Final = 1024**3
_LEAST_FREE: Final = 2 * _GIB  # a shard's downloads, and a converted model


class Standing(StrEnum):
    """A run cannot do without what is missing; a warning names what it will do without."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing needed; `told` is what was found, or what is wrong and what to change."""

    name: str
    standing: Standing
    told: str

    def as_json(self) -> dict[str, str]:
        """As `doctor --json` lists it."""
        return asdict(self)


class Tool(Protocol):
    """What the parser tells of a program or package that it can use."""

    @property
    def name(self) -> str: ...  # noqa: D102 - the words are the documentation
    @property
    def present(self) -> bool: ...  # noqa: D102 - the words are the documentation
    @property
    def remedy(self) -> str: ...  # noqa: D102 - the words are the documentation
    @property
    def unlocks(self) -> Sequence[str]: ...  # noqa: D102 - the words are the documentation


def examine(services: Services) -> Iterator[Check]:
    """What one corpus needs, in the order in which a run needs it; nothing is changed but a probe in the state."""
    missing: set[str] = set()
    for name, question in _QUESTIONS.items():
        absent = sorted(missing & _NEEDS.get(name, set()))
        check = _unasked(name, absent) if absent else _asked(name, partial(question, services))
        missing |= {name} if check.standing is Standing.MISSING else set()
        yield check


def examine_tools(tools: Iterable[Tool], *, needed: Sequence[str]) -> Iterator[Check]:
    """Parser tools; only those in `needed` are missed, the others are warnings that name their formats."""
    for tool in tools:
        if tool.present:
            yield Check(tool.name, Standing.OK, f"reads {', '.join(tool.unlocks)}")
        else:
            standing_ = Standing.MISSING if tool.name in needed else Standing.WARNING
            yield Check(tool.name, standing_, f"not found, needed for {', '.join(tool.unlocks)}: {tool.remedy}")


def examine_disk(folders: Iterable[tuple[str, Path]]) -> Iterator[Check]:
    """Free space where documents are downloaded and models are kept; `folders` are (name, path)."""
    for name, folder in folders:
        yield _asked(name, partial(_disk, folder))


def _asked(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, Standing.OK, check())
    except NightjarError as error:
        return Check(name, Standing.MISSING, str(error))


def _unasked(name: str, absent: Sequence[str]) -> Check:
    """One cause is told once, with its remedy, and not again by all that hangs off it."""
    return Check(name, Standing.MISSING, f"cannot be told without {' and '.join(absent)}, see above")


def _documents(services: Services) -> str:
    page: pa.Table = next(iter(services.source.listing()), None)
    held = page.num_rows if page is not None else 0
    uri = services.corpus.source.uri
    return f"{uri} lists {counted(held, 'object')} on its first page" if held else f"{uri} is readable and empty"


def _state(services: Services) -> str:
    services.state.probe()
    return f"{services.corpus.state_uri} honours conditional writes"


def _lease(services: Services) -> str:
    holding = standing(services.state)
    return "no run is under way" if holding is None else holding.told()


def _weaviate(services: Services) -> str:
    return f"version {services.index.check()}"


def _alias(services: Services) -> str:
    alias, live = services.corpus.alias, read_live(services.state)
    target, collections = services.index.alias(alias), services.index.collections()
    if alias in collections:
        raise Misconfigured(f"a collection is itself named {alias}: choose another index.alias")
    if target is not None and not is_ours(services, target):
        raise Misconfigured(f"{alias} points at {target}, which is not this corpus's: choose another index.alias")
    if live is None:
        return f"{alias} will be made by the first run"
    if target != live.collection:
        return f"{alias} points at {target}, live is {live.collection}: the next run sets it"
    wrong = disagreement(services, live)
    return f"{wrong}: the next run rebuilds it" if wrong else f"{alias} serves version {live.version} from {target}"


def _tokenizer(services: Services) -> str:
    tokenizer, wanted = services.tokenizer(), services.corpus.chunk.max_tokens
    if wanted is not None and wanted > tokenizer.max_tokens:
        raise Misconfigured(f"chunk.max_tokens is {wanted}, the model reads {tokenizer.max_tokens}: lower it")
    return f"the model reads {tokenizer.max_tokens} tokens of a text"


def _model(services: Services) -> str:
    embedder = services.embedder()
    dimensions = embedder.embed_query("nightjar").shape[0]
    return f"{services.corpus.embed.model} on {embedder.backend}, {dimensions} dimensions"


def _suites(services: Services) -> str:
    inspector = services.inspector()
    for suite, (columns, row_id) in _SUITES.items():
        inspector.check(suite, columns.empty_table(), row_id=row_id)
    return f"{', '.join(_SUITES)} load from {services.corpus.quality.suites}"


_QUESTIONS: Final[Mapping[str, Callable[[Services], str]]] = {
    "documents": _documents,
    "state": _state,
    "lease": _lease,
    "weaviate": _weaviate,
    "alias": _alias,
    "tokenizer": _tokenizer,
    "model": _model,
    "suites": _suites,
}
_NEEDS: Final = {"lease": {"state"}, "alias": {"state", "weaviate"}, "model": {"tokenizer"}}


def _disk(folder: Path) -> str:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < _LEAST_FREE:
        raise Misconfigured(
            f"{folder} has {free / _GIB:.1f} GiB free, {_LEAST_FREE / _GIB:.0f} are due: make room, or set"
            f" NIGHTJAR_WORK or NIGHTJAR_CACHE to another disk"
        )
    return f"{folder} has {free / _GIB:.0f} GiB free"
