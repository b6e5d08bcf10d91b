"""Deletions that look like an accident are withheld, remembered with their dates, and go when a person says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import (
    WITHHELD,
    WITHHELD_DOCUMENTS,
    from_parquet,
    to_parquet,
    version_key,
    withheld_key,
)
from nightjar.errors import Misconfigured
from nightjar.flows.listing import Listing, source_root
from nightjar.flows.moves import awaited, continued
from nightjar.flows.parallel import in_order
from nightjar.flows.records import record
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, read_version
from nightjar.model import sha256
from nightjar.plural import counted
from nightjar.ports import StateStore
from nightjar.registers import immutable_put
from nightjar.stages.deletions import GuardLimits, Loss, guard_deletions
from nightjar.stages.plan import Changes

_WITHIN: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Deletions:
    """What becomes of documents that are no longer listed.

    `gone` (manifest rows, confirmed) leave tonight, those of `renamed` for another key, `approved` by a person;
    `withheld` stay for the reason in `guard`; `remembered` is the list that stands until they return or are deleted.
    """

    gone: pa.Table
    renamed: pa.Table
    approved: int
    withheld: pa.Table
    remembered: pa.Table
    guard: str | None


def decide_deletions(
    services: Services,
    changes: Changes,
    *,
    listing: Listing,
    base: pa.Table,
    live: Live | None,
    approve: bool,
    approved_list: str | None = None,
) -> Deletions:
    """Let renames go, then what was approved; then the rest, unless there is so much of it that it looks wrong.

    Args:
        services: the corpus's doors; nothing is written.
        changes: of the documents that this run may touch.
        listing: the whole bucket.
        base: the whole live manifest.
        live: what is live.
        approve: what was withheld before may go; where nothing was, tonight's may.
        approved_list: digest of the one list that `approve` is bound to; None: the list that stands.

    Raises:
        Misconfigured: a list is missing or damaged.
    """
    known = _still_missing(read_withheld(services.state), listing=listing, base=base)
    moved = continued(changes.gone, changes.work)
    missing = changes.gone.filter(pc.invert(moved))
    stay = awaited(services, missing, changes=changes, listing=listing, base=base)
    missing = missing.filter(pc.invert(pc.is_in(missing["uri"], stay["uri"].combine_chunks())))
    shown = known if approved_list is None else read_withheld_list(services.state, approved_list)
    bound = pc.is_in(missing["uri"], shown["uri"].combine_chunks())
    is_bound = known.num_rows or approved_list is not None
    allowed = pc.and_(pa.scalar(approve), bound if is_bound else pc.is_valid(missing["uri"]))
    rest = missing.filter(pc.invert(allowed))
    objection = _objection(services, rest, listing=listing, base=base, live=live)
    withheld = dated(rest if objection else rest.slice(0, 0), known, now=services.clock())
    let = pa.concat_tables([missing.filter(allowed), rest.slice(0, 0) if objection else rest])
    renamed = confirmed_gone(services, changes.gone.filter(moved), listing=listing)
    gone = confirmed_gone(services, let, listing=listing)
    fresh = withheld.filter(pc.invert(pc.is_in(withheld["uri"], known["uri"].combine_chunks())))
    return Deletions(
        gone=pa.concat_tables([renamed, gone]),
        renamed=renamed,
        approved=pc.sum(pc.is_in(gone["uri"], missing.filter(allowed)["uri"].combine_chunks())).as_py() or 0,
        withheld=withheld.sort_by("uri"),
        remembered=pa.concat_tables([known, fresh]).sort_by("uri"),
        guard=objection and _sentence(objection, withheld),
    )


def confirmed_gone(services: Services, gone: pa.Table, *, listing: Listing) -> pa.Table:
    """Those of which a HEAD says the same as the listing; a listing alone deletes nothing.

    What lies outside of today's source, or stands there and is no longer wanted, is gone by the corpus file's own word.
    """
    ours = pc.starts_with(gone["uri"], source_root(services))
    absent = pc.invert(pc.is_in(gone["key"], listing.keys))
    asked = gone.filter(pc.and_(ours, absent))
    standing = list(in_order(services.source.exists, asked["key"].to_pylist()))
    stand = asked["uri"].combine_chunks().filter(pa.array(standing, pa.bool_()))
    return gone.filter(pc.invert(pc.is_in(gone["uri"], stand)))


def read_withheld(state: StateStore) -> pa.Table:
    """The list of withheld deletions, as the last run left it (`artifacts.WITHHELD_DOCUMENTS`).

    Raises:
        Misconfigured: the list that the register names is missing or damaged.
    """
    entry = record(state, WITHHELD).read()
    key = entry.value["list"] if entry else None
    if key is None:
        return WITHHELD_DOCUMENTS.empty_table()
    stored = state.read(key)
    if stored is None:
        raise Misconfigured(f"{WITHHELD} names {key}, which is missing: restore it from a backup, or delete {WITHHELD}")
    return from_parquet(stored.data, key=key)


def read_withheld_list(state: StateStore, digest: str) -> pa.Table:
    """One list of withheld deletions, whether it still holds or not.

    Raises:
        Misconfigured: there is no such list (any more), or it is damaged.
    """
    key = withheld_key(digest)
    stored = state.read(key)
    if stored is None:
        raise Misconfigured(f"{key} is missing: approve the list of withheld deletions that stands now")
    return from_parquet(stored.data, key=key)


def withheld_digest(state: StateStore) -> str | None:
    """What names the list that stands, for an approval to be bound to; None where nothing is withheld."""
    entry = record(state, WITHHELD).read()
    key = entry.value["list"] if entry else None
    return None if key is None else PurePosixPath(key).stem


def remember_withheld(services: Services, remembered: pa.Table) -> None:
    """Make this the list; nothing is written where it is the list already."""
    register = record(services.state, WITHHELD)
    seen = register.read()
    key = withheld_key(keep_list(services, remembered)) if remembered.num_rows else None
    if key != (seen.value["list"] if seen else None):
        now = services.clock().isoformat(timespec="seconds")
        register.swap(seen, {"documents": remembered.num_rows, "list": key, "at": now})


def keep_list(services: Services, listed: pa.Table) -> str:
    """Store a list of deletions, for an approval to be bound to; returns its digest."""
    data = to_parquet(listed.combine_chunks())
    digest = sha256(data)
    immutable_put(services.state, withheld_key(digest), data)
    return digest


def _still_missing(withheld: pa.Table, *, listing: Listing, base: pa.Table) -> pa.Table:
    """A document leaves the list when it is back, and when it left the live version for good."""
    if not withheld.num_rows:
        return withheld
    is_back = pc.is_in(withheld["uri"], listing.documents["uri"].combine_chunks())
    stands = pc.is_in(withheld["uri"], base["uri"].combine_chunks())
    return withheld.filter(pc.and_not(stands, is_back))


def _objection(
    services: Services, rest: pa.Table, *, listing: Listing, base: pa.Table, live: Live | None
) -> str | None:
    if not rest.num_rows:
        return None
    rules = services.corpus.deletions
    loss = Loss(
        gone=rest.num_rows,
        lately=deleted_lately(services.state, live, now=services.clock()),
        standing=base.num_rows,
        listed=listing.documents.num_rows,
        outside=rest.num_rows - (pc.sum(pc.starts_with(rest["uri"], source_root(services))).as_py() or 0),
    )
    limits = GuardLimits(share=rules.guard_share, count=rules.guard_count, most=rules.guard_max)
    return guard_deletions(loss, limits=limits)


def deleted_lately(state: StateStore, live: Live | None, *, now: datetime) -> int:
    """Deletions of the versions of the last seven days that led to the live one; approved ones do not count."""
    total, number = 0, live.version if live else None
    while number is not None and state.exists(version_key(number)):
        version = read_version(state, number)
        if datetime.fromisoformat(version.created_at) < now - _WITHIN:
            break
        total += max(0, version.documents.get("deleted", 0) - version.deletions_approved)
        number = version.parent
    return total


def dated(rows: pa.Table, known: pa.Table, *, now: datetime) -> pa.Table:
    """A list of these rows with when they were first missed: as `known` says, else `now`."""
    place = pc.index_in(rows["uri"], known["uri"].combine_chunks())
    since = pc.fill_null(known["first_missed"].take(place), now.isoformat(timespec="seconds"))
    return rows.select(["document_id", "uri", "size"]).append_column("first_missed", since).cast(WITHHELD_DOCUMENTS)


def _sentence(objection: str, withheld: pa.Table) -> str:
    since = pc.min(withheld["first_missed"]).as_py()
    kept = counted(withheld.num_rows, "deletion is", "deletions are")
    return (
        f"{objection}: {kept} withheld, first missed {since}; `nightjar plan --documents` shows them,"
        " --approve-deletions lets them go"
    )
