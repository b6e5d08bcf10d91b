"""Make what is known of access hold in every standing collection, whatever becomes of the night that learnt it."""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import MANIFEST, rows_table, run_key, shard_key
from nightjar.errors import Misconfigured
from nightjar.flows.access import SIDECAR, Access, merged, move_access, read_access, signature, withheld
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.metadata import rules_digest
from nightjar.flows.parallel import in_order
from nightjar.flows.planning import plan, planned_work
from nightjar.flows.points import Point
from nightjar.flows.regrouping import by_todays_rules
from nightjar.flows.rows import described_again
from nightjar.flows.runs import Run, read_json, read_table, write_json, write_table
from nightjar.flows.services import Services
from nightjar.flows.spreading import spread_access
from nightjar.lease import Lease
from nightjar.stages.plan import CHANGED, REMADE

log = logging.getLogger(__name__)
_READ_AT_ONCE: Final = 1_000
_OWN: Final = [name for name in MANIFEST.names if name not in {*SIDECAR, "acl"}]


def apply_listed_access(services: Services, run: Run, lease: Lease) -> None:
    """Record the groups of documents that stand and are listed otherwise, then spread them; nothing was made yet.

    Where the corpus file's metadata rules changed, all whose groups they name count. Of bytes that changed nothing is
    read, so that a document is closed although the night waits for approval of its cost, or a shard fails. Safe to
    repeat.
    """
    if run.live is None:
        return
    now = read_access(services)
    work = _with_groups(planned_work(services, run), now)
    learnt = _listed(services, work)
    rows = by_todays_rules(services, run, now)
    if learnt.num_rows or rows is not now.rows:
        now = _apply(services, run, learnt, now=now, rows=rows, step="listed", lease=lease)
        write_table(services, run_key(run.run_id, "work.parquet"), _with_sidecars(_with_groups(work, now), learnt))


def apply_access(services: Services, run: Run, lease: Lease) -> None:
    """Record the groups that tonight's shards found, then spread them.

    Safe to repeat after a crash at any point, and before any gate: a document that nobody may read any more is closed
    although its new content failed, the night is rejected or the corpus is on hold. Of one that was made again although
    the bucket says nothing new of it, nothing was learnt: the live manifest may be older than what is known.
    """
    again = planned_work(services, run)
    again = again.filter(pc.equal(again["why"], REMADE))
    tables = [_outcome(services, run, shard.number, label=shard.label) for shard in plan(services, run).shards]
    learnt = pa.concat_tables(tables).cast(MANIFEST) if tables else MANIFEST.empty_table()
    learnt = learnt.filter(pc.invert(pc.is_in(learnt["uri"], again["uri"].combine_chunks())))
    now = read_access(services)
    _apply(services, run, learnt, now=now, rows=now.rows, step="made", lease=lease)


def _apply(
    services: Services, run: Run, learnt: pa.Table, *, now: Access, rows: pa.Table, step: str, lease: Lease
) -> Access:
    """Lay what was learnt over the rows.

    Each step's count is kept before anything moves, for a repetition finds nothing changed.
    """
    sequence = now.sequence + 1
    seen = _seen_for_groups(run.base(services), learnt) if learnt.num_rows else None
    rows = merged(rows, learnt, sequence=sequence, seen=seen)
    rows = withheld(rows, sequence=sequence)
    told = {step: _changed(now.rows, rows)} | (read_json(services, run, "access.json") or {})
    write_json(services, run, "access.json", told)
    moved = Access(rows, rules=rules_digest(services.corpus))
    if now.etag is None or not rows.equals(now.rows) or moved.rules != now.rules:
        lease.assure(REQUEST_S)
        now = move_access(services.state, now, moved)
    services.passing(Point.ACCESS_RECORDED)
    spread_access(services, now, lease=lease)
    log.info("access run=%s step=%s changed=%d sequence=%d", run.run_id, step, told[step], now.sequence)
    return now


def _with_groups(work: pa.Table, access: Access) -> pa.Table:
    """The plan's documents with the groups that hold now, whatever held when they were planned."""
    acl = access.groups(work["base_document_id"], work["base_acl"])
    return work.set_column(work.column_names.index("base_acl"), work.schema.field("base_acl"), acl)


def _with_sidecars(work: pa.Table, learnt: pa.Table) -> pa.Table:
    """The plan's documents with what was read of their sidecars, so that no shard reads it again: `sidecar_read`."""
    place = pc.index_in(work["uri"], learnt["uri"].combine_chunks())
    read = pc.and_(pc.is_valid(place), pc.equal(work["why"], CHANGED))
    columns = {"sidecar": pc.if_else(read, learnt["sidecar"].take(place), None), "sidecar_read": read}
    work = work.select([name for name in work.column_names if name not in columns])
    for name, column in columns.items():
        work = work.append_column(name, column)
    return work


def _listed(services: Services, work: pa.Table) -> pa.Table:
    """Standing documents that are listed otherwise, as the bucket shows them."""
    changed = work.filter(pc.equal(work["why"], CHANGED))
    read = partial(described_again, services)
    batches = (batch.to_pylist() for batch in changed.to_batches(max_chunksize=_READ_AT_ONCE))
    return pa.concat_tables([MANIFEST.empty_table(), *(rows_table(in_order(read, rows), MANIFEST) for rows in batches)])


def _outcome(services: Services, run: Run, shard: int, *, label: str) -> pa.Table:
    table = read_table(services, shard_key(run.run_id, shard, "outcome.parquet"))
    if table is None:
        raise Misconfigured(f"shards without an outcome: {label}. Clear and re-run them, then this task")
    return table


def _seen_for_groups(base: pa.Table, learnt: pa.Table) -> pa.Array:
    """Ids of which nothing but the sidecar's groups differs: no version will remember that sidecar."""
    place = pc.index_in(learnt["document_id"], base["document_id"].combine_chunks())
    known = learnt.filter(pc.is_valid(place))
    before = base.take(place.drop_null()) if known.num_rows else base.slice(0, 0)
    pairs = zip(known.select(_OWN).to_pylist(), before.select(_OWN).to_pylist(), strict=True)
    same = [ours == theirs for ours, theirs in pairs]
    return known["document_id"].combine_chunks().filter(pa.array(same, pa.bool_()))


def _changed(before: pa.Table, after: pa.Table) -> int:
    """Documents that were known and whose groups are others now."""
    place = pc.index_in(after["document_id"], before["document_id"].combine_chunks())
    was, now = signature(before["acl"].take(place)), signature(after["acl"])
    return pc.sum(pc.and_(pc.is_valid(place), pc.not_equal(was, now))).as_py() or 0
