"""`gc`: delete what no version, collection, quarantine or record needs, under the lease and never within a week.

A sweep lists the whole state and reads every kept manifest: too dear to end each night with, so that the command and
the weekly audit do it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import LEASE, SWEEP, version_key
from nightjar.errors import HeldBack
from nightjar.flows.checkouts import checkouts, named_like_ours
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.needs import Needs, needs_of, retained
from nightjar.flows.parallel import windows
from nightjar.flows.points import Point
from nightjar.flows.records import record
from nightjar.flows.services import Services
from nightjar.flows.tidying import tidy
from nightjar.flows.versions import highest_swept, read_live, read_versions
from nightjar.lease import Lease
from nightjar.stages.garbage import WEEK_US, in_old_folders, older, record_last, unneeded

log = logging.getLogger(__name__)
_AT_ONCE: Final = 1_000
_VERSIONS: Final = "versions/"
_RUNS: Final = "runs/"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep deleted, or would: versions by number, and objects by kind with their number and size in bytes.

    `orphans` are collections with a name of this corpus that no record names: Weaviate does not say how old they are,
    so that a person drops them.
    """

    versions: tuple[int, ...]
    objects: Mapping[str, int]
    size: int
    orphans: tuple[str, ...]
    dry_run: bool

    def as_json(self, corpus: str) -> dict[str, Any]:
        """The shape of `gc --json`."""
        return {
            "format": 1,
            "corpus": corpus,
            "dry_run": self.dry_run,
            "versions": list(self.versions),
            "objects": dict(self.objects),
            "bytes": self.size,
            "orphans": list(self.orphans),
        }


def sweep(services: Services, *, lease: Lease, actor: str, dry_run: bool = False) -> Swept:
    """Delete what nobody needs any more and what is older than a week on the store's own clock; safe to repeat.

    Args:
        services: the corpus's doors.
        lease: held by the caller; its record tells the store's time.
        actor: who sweeps, for the record.
        dry_run: only say what would go; nothing but the lease is written.

    Raises:
        HeldBack: somebody asked for a rollback to a version that was about to go; nothing was deleted.
        Misconfigured: a manifest that a kept version names is missing or damaged, so that its needs are unknown.
    """
    if not dry_run:
        tidy(services, actor=actor, lease=lease)
    lease.renew()
    listing = pa.concat_tables(services.state.listing("")).combine_chunks()
    before = pc.max(listing.filter(pc.equal(listing["key"], LEASE))["modified_us"]).as_py() - WEEK_US
    folders = in_old_folders(listing, prefix=_VERSIONS, than_us=before)
    kept, gone = retained(services, old=set(folders["folder"].to_pylist()))
    versions = folders.filter(pc.is_in(folders["folder"], pa.array([_folder(n) for n in gone], pa.string())))
    rest = _unneeded(listing, needs_of(services, kept), before=before)
    if not dry_run:
        keep_highest(services, actor=actor)
        _refuse_return_to(services, gone)
        _delete(services, record_last(versions["key"].to_pylist(), record="version.json"), lease=lease)
        services.passing(Point.VERSIONS_SWEPT)
        for table in rest.values():
            _delete(services, table["key"].to_pylist(), lease=lease)
        services.passing(Point.SWEPT)
    swept = Swept(
        versions=tuple(sorted(gone)),
        objects={"versions": versions.num_rows, **{kind: table.num_rows for kind, table in rest.items()}},
        size=sum(pc.sum(table["size"]).as_py() or 0 for table in (versions, *rest.values())),
        orphans=_orphans(services),
        dry_run=dry_run,
    )
    log.info("swept dry_run=%s versions=%d objects=%s bytes=%d", dry_run, len(gone), dict(swept.objects), swept.size)
    return swept


def _unneeded(listing: pa.Table, needs: Needs, *, before: int) -> dict[str, pa.Table]:
    """By kind; only kinds that this corpus's own code writes, so that what people put there stays."""
    old = older(listing, than_us=before)
    found = {kind: unneeded(old, prefix=f"{kind}/", needed=keys) for kind, keys in needs.by_kind.items()}
    runs = in_old_folders(listing, prefix=_RUNS, than_us=before)
    return {**found, "runs": unneeded(runs, prefix=_RUNS, needed=needs.of_runs)}


def keep_highest(services: Services, *, actor: str) -> None:
    """State before the world: the newest version's number stays taken although its record may go."""
    register = record(services.state, SWEEP)
    highest = max([highest_swept(services.state), *(version.number for version in read_versions(services.state))])
    at = services.clock().isoformat(timespec="seconds")
    register.swap(register.read(), {"highest_version": highest, "at": at, "actor": actor})
    services.passing(Point.SWEEP_RECORDED)


def _refuse_return_to(services: Services, gone: Collection[int]) -> None:
    """A rollback is asked for without the lease, perhaps while the sweep was choosing."""
    live = read_live(services.state)
    if live is not None and live.returning_to in gone:
        raise HeldBack(f"a rollback to version {live.returning_to} is under way: sweep again when it is over")


def _delete(services: Services, keys: Sequence[str], *, lease: Lease) -> None:
    for batch in windows(keys, size=_AT_ONCE):
        lease.assure(REQUEST_S)
        services.state.delete(batch)


def _orphans(services: Services) -> tuple[str, ...]:
    known = {entry.value.collection for entry in checkouts(services)}
    return tuple(name for name in named_like_ours(services) if name not in known)


def _folder(number: int) -> str:
    return version_key(number).split("/")[1]
