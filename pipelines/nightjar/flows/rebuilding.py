"""Manifest buckets that are lost, made again from what stands in collections (`flows.telling`), or given up."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from nightjar.artifacts import (
    MANIFEST,
    MANIFESTS_PREFIX,
    rows_table,
    version_key,
)
from nightjar.errors import Misconfigured
from nightjar.flows.checkouts import checkouts, drop_collection
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.manifests import LostBucket, load_manifest, read_bucket, save_bucket
from nightjar.flows.parallel import in_order
from nightjar.flows.revising import replace_buckets
from nightjar.flows.rows import Row
from nightjar.flows.services import Services
from nightjar.flows.sweeping import keep_highest
from nightjar.flows.telling import rows_of, standing_documents
from nightjar.flows.versions import Version, read_live, read_versions, seen_live, write_live
from nightjar.lease import Lease
from nightjar.model import CollectionName
from nightjar.stages.garbage import record_last

log = logging.getLogger(__name__)
_BACKUP: Final = "restore it from a backup of the state"


class _Untold(Misconfigured):
    """What stands in a collection does not tell the rows of a lost bucket."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many documents' rows were made again, and versions (by number) of which nothing tells any more."""

    documents: int = 0
    given_up: tuple[int, ...] = ()


def rebuild_buckets(services: Services, *, lease: Lease, actor: str) -> Rebuilt:
    """Make again every lost bucket that a standing collection tells of, for all versions that name it.

    Other versions that name a lost bucket are deleted as a sweep deletes them: nobody could serve them again, and no
    sweep and no erasure gets past them. Safe to repeat after a crash at any point.

    Raises:
        Misconfigured: the live collection does not tell what a bucket of its version had; nothing was changed.
    """
    lost = _lost(services)
    if not lost:
        return Rebuilt()
    live = read_live(services.state)
    made: dict[str, pa.Table] = {}
    for version, name in _standing_versions(services):
        try:
            made |= _made_again(services, version, name, lost=lost, made=made)
        except _Untold as error:
            if live is not None and version.number == live.version:
                raise
            log.warning("version=%d: %s", version.number, error)
    given_up = _give_up(services, lost - made.keys(), lease=lease, actor=actor)
    lease.assure(REQUEST_S)
    services.state.delete(sorted(lost))  # a bucket that comes out the same is written under the same key
    revised = {key: save_bucket(services.state, rows) for key, rows in made.items()}
    replace_buckets(services, {key: new for key, new in revised.items() if new != key}, lease=lease)
    rebuilt = Rebuilt(sum(rows.num_rows for rows in made.values()), given_up)
    log.warning("rebuilt buckets=%d documents=%d given_up=%s", len(made), rebuilt.documents, given_up)
    return rebuilt


def _lost(services: Services) -> set[str]:
    """Buckets that are named and missing, or stand and are damaged."""
    keys = {key for version in read_versions(services.state) for key in version.manifest}
    keys |= {key for entry in checkouts(services) for key in entry.value.manifest}
    keys |= set(services.state.keys(MANIFESTS_PREFIX))

    def is_lost(key: str) -> bool:
        try:
            read_bucket(services.state, key)
        except LostBucket:
            return True
        return False

    ordered = sorted(keys)
    return {key for key, lost in zip(ordered, in_order(is_lost, ordered), strict=True) if lost}


def _standing_versions(services: Services) -> Iterator[tuple[Version, CollectionName]]:
    """Versions and the collections that hold them, what is live first."""
    versions = {version.number: version for version in read_versions(services.state)}
    live, standing = read_live(services.state), set(services.index.collections())
    if live is not None:
        yield versions[live.version], CollectionName(live.collection)
    for entry in checkouts(services):
        held, version = entry.value, versions.get(entry.value.version)
        if live is not None and held.collection == live.collection:
            continue
        if version and held.writing is None and held.checkout == version.checkout and held.collection in standing:
            yield version, CollectionName(held.collection)


def _made_again(
    services: Services, version: Version, name: CollectionName, *, lost: Collection[str], made: Mapping[str, pa.Table]
) -> dict[str, pa.Table]:
    """Lost bucket of the version → its rows, of those that were not made yet.

    Raises:
        _Untold: a document stands otherwise than any row would have it; or of several lost buckets one had no document
            that stands, so that nobody can tell which is which.
    """
    theirs = [key for key in version.manifest if key in lost and key not in made]
    if not theirs:
        return {}
    if name not in services.index.collections():
        raise _Untold(f"the manifest bucket {theirs[0]} is lost, and collection {name} is gone: {_BACKUP}")
    readable = load_manifest(services.state, [key for key in version.manifest if key not in lost])
    known = pa.concat_tables([readable, *(made[key] for key in version.manifest if key in made)])
    standing = standing_documents(services, name, besides={each[0] for each in known["document_id"].to_pylist()})
    rows = rows_of(services, version, standing, known=known, lost=lost)
    if untold := sorted(standing.keys() - rows.keys()):
        raise _Untold(
            f"the manifest bucket {theirs[0]} is lost, and collection {name} does not tell the rows of {len(untold)}"
            f" documents, {untold[0]} the first: {_BACKUP}"
        )
    return _bucketed(rows, theirs)


def _bucketed(rows: Mapping[str, Row], keys: Sequence[str]) -> dict[str, pa.Table]:
    """Lost bucket → its rows; manifests name their buckets by ascending digit."""
    digits = sorted({document[0] for document in rows})
    if len(digits) != len(keys) and (digits or len(keys) > 1):
        raise _Untold(f"nobody can tell which documents were in which of the lost buckets {', '.join(keys)}: {_BACKUP}")
    if not digits:
        return {keys[0]: MANIFEST.empty_table()}
    return {
        key: rows_table((row for document, row in rows.items() if document[0] == digit), MANIFEST)
        for key, digit in zip(keys, digits, strict=True)
    }


def _give_up(services: Services, hopeless: Collection[str], *, lease: Lease, actor: str) -> tuple[int, ...]:
    """Delete the versions that name these buckets, and collections that hold them; their numbers.

    A rollback to one of them ends where it is: the corpus stays on hold.
    """
    gone = [each.number for each in read_versions(services.state) if not set(each.manifest).isdisjoint(hopeless)]
    if gone:
        lease.assure(REQUEST_S)
        keep_highest(services, actor=actor)
    seen, live = seen_live(services.state)
    if live is not None and live.returning_to in gone:
        write_live(services.state, replace(live, returning_to=None), expected=seen)
    for number in gone:
        keys: Sequence[str] = list(services.state.keys(version_key(number, "")))
        services.state.delete(record_last(keys, record="version.json"))
        log.warning("gave up version=%d: nothing tells any more what it had", number)
    for entry in checkouts(services):
        is_live = live is not None and live.collection == entry.value.collection
        if not is_live and not set(entry.value.manifest).isdisjoint(hopeless):
            drop_collection(services, entry.value.collection, lease=lease)
    return tuple(sorted(gone))
