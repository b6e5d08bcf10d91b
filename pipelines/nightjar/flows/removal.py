"""Carry an erasure out, each step found done by a repetition: collections, reports, versions, runs, then the content.

What names the documents is in the record until the end (`flows.erased`), and their text, by which quotations are
recognised, is deleted last: a crash anywhere leaves enough for whoever comes next.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import ELEMENTS_PREFIX, VECTORS_PREFIX, unpack_elements, unpack_vectors
from nightjar.errors import Misconfigured, Transient
from nightjar.flows.access import move_access, read_access
from nightjar.flows.checkouts import checkouts, named_like_ours
from nightjar.flows.erased import Erasure, move_erased, open_erasures, read_erased
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.parallel import in_order, windows
from nightjar.flows.points import Point
from nightjar.flows.revising import revise_manifests
from nightjar.flows.scrubbing import scrub_runs, scrub_versions, scrub_withheld
from nightjar.flows.services import Services
from nightjar.flows.versions import seen_live, write_live
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName
from nightjar.stages.scrub import Marks, names_of, scrubbed

log = logging.getLogger(__name__)
_DOCUMENTS: Final = 100
_OBJECTS: Final = 500
_KEYS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Removed:
    """What an erasure found to remove: objects in collections, and stored elements and vectors."""

    objects: int = 0
    stored: int = 0


def finish_erasures(services: Services, *, lease: Lease) -> Removed:
    """End every erasure that is open; nothing to do where none is.

    Raises:
        Transient: a collection kept objects of an erased document: try again.
        Misconfigured: a manifest is missing or damaged.
    """
    due = open_erasures(read_erased(services.state))
    if not due:
        return Removed()
    ids = sorted(each.document_id for each in due)
    stored = _stored_contents(services, {key for each in due for key in each.contents})
    marks = _marks(services, due, stored)
    objects = sum(_erase_objects(services, name, ids, lease=lease) for name in _collections(services))
    services.passing(Point.ERASED_FROM_INDEX)
    scrub_versions(services, marks, lease=lease)
    services.passing(Point.ERASED_FROM_REPORTS)
    replaced = revise_manifests(services, marks, lease=lease)
    services.passing(Point.ERASED_FROM_VERSIONS)
    _erase_access(services, ids, lease=lease)
    _scrub_hold(services, marks, lease=lease)
    scrub_withheld(services, marks, lease=lease)
    scrub_runs(services, marks, lease=lease)
    services.passing(Point.ERASED_FROM_RUNS)
    for keys in windows([*replaced, *stored], size=_KEYS):
        lease.assure(REQUEST_S)
        services.state.delete(keys)
    services.passing(Point.ERASED_FROM_STORE)
    now = services.clock().isoformat(timespec="seconds")
    move_erased(services.state, read_erased(services.state), [each.finished(now) for each in due])
    services.passing(Point.ERASED)
    log.info("erased documents=%d objects=%d stored=%d manifests=%d", len(due), objects, len(stored), len(replaced))
    return Removed(objects, len(stored))


def _collections(services: Services) -> list[CollectionName]:
    """Those that stand and are this corpus's, by record or by name: one without a record may hold a document, too."""
    known = {entry.value.collection for entry in checkouts(services)}
    recorded = (name for name in services.index.collections() if name in known)
    return sorted({*recorded, *named_like_ours(services)})


def _erase_objects(services: Services, name: CollectionName, ids: Sequence[str], *, lease: Lease) -> int:
    """Objects removed; that none is left is read back."""
    removed = 0
    for documents in windows(ids, size=_DOCUMENTS):
        found: list[ChunkId] = [each.chunk_id for each in services.index.of_documents(name, documents)]
        for batch in windows(found, size=_OBJECTS):
            lease.assure(REQUEST_S)
            services.index.delete(name, batch)
        removed += len(found)
        if any(islice(services.index.of_documents(name, documents), 1)):
            raise Transient(f"collection {name} still holds objects of an erased document: try again")
    return removed


def _stored_contents(services: Services, contents: set[str]) -> list[str]:
    """Keys of what is stored of these contents, whichever recipe made it: only a listing knows them all."""
    if not contents:
        return []
    listed = (key for prefix in (ELEMENTS_PREFIX, VECTORS_PREFIX) for key in services.state.keys(prefix))
    return [key for key in listed if PurePosixPath(key).stem in contents]


def _marks(services: Services, due: Sequence[Erasure], stored: Iterable[str]) -> Marks:
    titles, texts = set(), []
    for title, text in in_order(lambda key: _text_of(services, key), stored):
        titles |= {title} if title else set()
        texts.append(text)
    uris = frozenset(each.uri for each in due if each.uri)
    names = {name for uri in uris for name in names_of(uri, prefix=services.corpus.prefix)}
    return Marks(
        ids=frozenset(each.document_id for each in due),
        uris=uris,
        contents=frozenset(key for each in due for key in each.contents),
        names=frozenset(names | titles | {digest for each in due for digest in each.digests}),
        texts=tuple(texts),
    )


def _text_of(services: Services, key: str) -> tuple[str, str]:
    """(title, text) of a stored content; nothing of a damaged one, which goes anyway."""
    stored = services.state.read(key)
    if stored is None:
        return "", ""
    with suppress(Misconfigured, KeyError, ValueError):
        if key.startswith(ELEMENTS_PREFIX):
            document = unpack_elements(stored.data, key=key)
            return document.title, "\n".join(element.text for element in document.elements)
        content = unpack_vectors(stored.data, key=key)
        return content.title, "\n".join(each.chunk.embedded_text for each in content.chunks)
    return "", ""


def _erase_access(services: Services, ids: Sequence[str], *, lease: Lease) -> None:
    access = read_access(services)
    rest = access.rows.filter(pc.invert(pc.is_in(access.rows["document_id"], pa.array(ids, pa.string()))))
    if access.etag is not None and rest.num_rows < access.rows.num_rows:
        lease.assure(REQUEST_S)
        move_access(services.state, access, replace(access, rows=rest.combine_chunks()))


def _scrub_hold(services: Services, marks: Marks, *, lease: Lease) -> None:
    """Why the corpus is on hold, in a person's own words, without those that name the documents."""
    entry, live = seen_live(services.state)
    if live is None or (reason := scrubbed(live.held_reason, marks)) == live.held_reason:
        return
    lease.assure(REQUEST_S)
    write_live(services.state, replace(live, held_reason=reason), expected=entry)
