"""Which documents were erased: one record beside all versions, so that no night and no rollback brings them back.

A document is refused by its id alone, which follows from its uri: no uri, name or text outlives the erasure. While one
is under way its record also keeps what is needed to end it after a crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import ERASED, FORMAT
from nightjar.errors import Misconfigured
from nightjar.model import document_id_of
from nightjar.ports import StateStore
from nightjar.registers import Entry, Register


@dataclass(frozen=True, slots=True)
class Erasure:
    """One document's. It is open until `finished_at`, and refuses the document until `lifted_at`; times are ISO 8601.

    `uri`, `contents` (keys of what nobody else has) and `digests` (of its bytes) are there only while it is open.
    """

    document_id: str
    at: str
    actor: str
    reason: str = ""
    uri: str = ""
    contents: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    finished_at: str = ""
    lifted_at: str = ""
    lifted_by: str = ""

    @property
    def is_open(self) -> bool:
        """It has begun, and somebody must end it."""
        return not self.finished_at

    def finished(self, at: str) -> Erasure:
        """The same once nothing is left; what named the document goes from here, too."""
        return replace(self, finished_at=at, uri="", contents=(), digests=())


Erasures = Mapping[str, Erasure]
"""By document id."""


def read_erased(state: StateStore) -> Entry[Erasures] | None:
    """Every erasure ever asked for; None where there was none.

    Raises:
        Misconfigured: the record is damaged.
    """
    return _register(state).read()


def move_erased(state: StateStore, seen: Entry[Erasures] | None, changed: Iterable[Erasure]) -> Entry[Erasures]:
    """Compare-and-set of the record with these erasures in place.

    Raises:
        Superseded: somebody else moved it.
    """
    before = seen.value if seen else {}
    return _register(state).swap(seen, {**before, **{each.document_id: each for each in changed}})


def open_erasures(entry: Entry[Erasures] | None) -> list[Erasure]:
    """Those that somebody must end."""
    return [each for each in entry.value.values() if each.is_open] if entry else []


def refused_ids(state: StateStore) -> pa.Array:
    """Ids of documents that no night may take."""
    entry = read_erased(state)
    erasures = entry.value.values() if entry else ()
    return pa.array([each.document_id for each in erasures if not each.lifted_at], pa.string())


def erased_sequence(state: StateStore) -> int:
    """Grows with every erasure and every lift: a run that began before one is over."""
    entry = read_erased(state)
    return entry.sequence if entry else 0


def refuse_erased(state: StateStore, documents: Iterable[str]) -> None:
    """Raise where one of these documents (by id or source uri) was erased.

    Raises:
        Misconfigured: the first of them.
    """
    refused = set(refused_ids(state).to_pylist())
    for named in documents:
        if {named, document_id_of(named)} & refused:
            raise Misconfigured(f"document {named} was erased: `nightjar forget --lift` lets it return")


def without_refused(listing: pa.Table, base: pa.Table, refused: pa.Array) -> tuple[pa.Table, pa.Table]:
    """Rows of a listing and of a manifest without those of refused documents, as if neither had them.

    Ids are made of those addresses alone that the manifest does not know: no Python object for an unchanged document.
    """
    if len(refused) == 0:
        return listing, base
    is_refused = pc.is_in(base["document_id"], refused)
    known = base["uri"].combine_chunks()
    fresh = listing.filter(pc.invert(pc.is_in(listing["uri"], known)))["uri"].to_pylist()
    wanted = set(refused.to_pylist())
    uris = [uri for uri in fresh if document_id_of(uri) in wanted]
    uris += base.filter(is_refused)["uri"].to_pylist()
    kept = listing.filter(pc.invert(pc.is_in(listing["uri"], pa.array(uris, pa.string()))))
    return kept, base.filter(pc.invert(is_refused))


def _register(state: StateStore) -> Register[Erasures]:
    return Register(state, ERASED, _encoded, _decoded)


def _encoded(erasures: Erasures) -> dict[str, Any]:
    return {"format": FORMAT, "documents": [_told(each) for each in erasures.values()]}


def _told(erasure: Erasure) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(erasure).items() if v}


def _decoded(fields: Mapping[str, Any]) -> Erasures:
    listed = [_read(each) for each in fields["documents"]]
    return {each.document_id: each for each in listed}


def _read(told: Mapping[str, Any]) -> Erasure:
    read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Erasure(**read)
