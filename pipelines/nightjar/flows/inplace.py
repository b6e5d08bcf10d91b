"""From one checkout to another inside a collection that people search: they never find a document missing.

Used forwards by a night, backwards by a rollback, and either way by whoever finds a writing that a crash left open.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.flows.checkouts import close_writing, remember_recent
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.manifests import differing, load_manifest
from nightjar.flows.objects import checkout, due_rows, require_vectors, schema_of
from nightjar.flows.parallel import windows
from nightjar.flows.points import Point
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.stages.reconcile import Standing, reconcile

log = logging.getLogger(__name__)
WINDOW: Final = 500
"""Objects between two looks at whose lease it is, however many a document has."""
_GROUP_CHUNKS: Final = 1_000
GROUP_DOCUMENTS: Final = 100
_SAMPLE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Written:
    """Objects that a delta wrote, patched and dropped, and ids of what is due in its documents, what it wrote last.

    The vector index is asked for them: an earlier try may have written them to a server that then lost their places.
    """

    written: int = 0
    patched: int = 0
    dropped: int = 0
    sample: tuple[ChunkId, ...] = ()

    def plus(self, other: Written) -> Written:
        """Both together."""
        return Written(
            self.written + other.written,
            self.patched + other.patched,
            self.dropped + other.dropped,
            (*self.sample, *other.sample)[-_SAMPLE:],
        )


def bring(services: Services, name: CollectionName, source: Version, target: Version, *, lease: Lease) -> Written:
    """Make `name` the checkout of `target`, whatever of the way from `source` was gone already.

    Only documents in which the two versions differ are looked at. What stands of them is read from the collection, not
    from a list made earlier, so that a second try, or the way back, needs no memory of the first.
    """
    rows = due_rows(services, target)
    touched = differing(load_manifest(services.state, source.manifest), rows)
    require_vectors(services, rows.filter(pc.is_in(rows["document_id"], touched)))
    services.index.extend(name, schema_of(services, target).properties)
    total = Written()
    done = 0
    for group in _groups(rows, touched):
        total = total.plus(_replace(services, name, group, lease=lease))
        done += len(group.documents)
        services.progress("index", done, len(touched))
    services.index.describe(name, schema_of(services, target).description)
    services.passing(Point.DELTA_WRITTEN)
    log.info(
        "brought collection=%s from=%d to=%d documents=%d written=%d patched=%d dropped=%d",
        *(name, source.number, target.number, len(touched), total.written, total.patched, total.dropped),
    )
    return total


def end_writing(services: Services, name: str, source: Version, target: Version, *, lease: Lease) -> None:
    """Finish what a writing left between two versions, and say in the collection's record that it holds `target`."""
    bring(services, CollectionName(name), source, target, lease=lease)
    close_writing(services, name, target)
    log.info("ended the writing in collection=%s: it holds version=%d", name, target.number)


@dataclass(frozen=True, slots=True)
class _Group:
    """Some documents, and the rows of those that the target has."""

    documents: list[str]
    rows: pa.Table


def _groups(due: pa.Table, touched: pa.Array) -> Iterator[_Group]:
    """Bounded in chunks and documents; those that the target lacks come last, so that a move is never a gap."""
    rows = due.filter(pc.is_in(due["document_id"], touched))
    start = held = 0
    for place, chunks in enumerate(rows["chunks"].to_pylist()):
        held += chunks
        if held >= _GROUP_CHUNKS or place - start + 1 >= GROUP_DOCUMENTS:
            yield _group(rows.slice(start, place - start + 1))
            start, held = place + 1, 0
    if start < rows.num_rows:
        yield _group(rows.slice(start))
    gone = touched.filter(pc.invert(pc.is_in(touched, rows["document_id"].combine_chunks()))).to_pylist()
    for start in range(0, len(gone), GROUP_DOCUMENTS):
        yield _Group(gone[start : start + GROUP_DOCUMENTS], rows.slice(0, 0))


def _group(rows: pa.Table) -> _Group:
    return _Group(rows["document_id"].to_pylist(), rows)


def _replace(services: Services, name: CollectionName, group: _Group, *, lease: Lease) -> Written:
    """New chunks are confirmed before old ones go."""
    target: dict[ChunkId, IndexObject] = {each.chunk_id: each for each in checkout(services, group.rows)}
    standing = {each.chunk_id: Standing.of(each) for each in services.index.of_documents(name, group.documents)}
    delta = reconcile(standing, target)
    standing_already = sorted(target.keys() - set(delta.write))
    for ids in _leased(delta.write, lease):
        remember_recent(services, name, ids)  # before they are written: a killed server is asked for them
        services.index.write(name, [target[chunk_id] for chunk_id in ids])
    for ids in _leased(delta.patch, lease):
        services.index.write(name, [target[chunk_id] for chunk_id in ids])
    services.passing(Point.DOCUMENTS_WRITTEN)
    for ids in _leased(delta.drop, lease):
        services.index.delete(name, ids)
    services.passing(Point.DOCUMENTS_REPLACED)
    return Written(len(delta.write), len(delta.patch), len(delta.drop), (*standing_already, *delta.write))


def _leased(ids: Sequence[ChunkId], lease: Lease) -> Iterator[list[ChunkId]]:
    """`ids` in windows, each only while the lease outlives a request: a run that lost it changes nothing more."""
    for window in windows(ids, size=WINDOW):
        lease.assure(REQUEST_S)
        yield window
