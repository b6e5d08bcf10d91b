"""Make what is known of access hold in every standing collection, whatever becomes of the night that learnt it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import MANIFEST, rows_table, shard_key
from nightjar.errors import Misconfigured
from nightjar.flows.access import SIDECAR, Access, merged, move_access, read_access, signature, withheld
from nightjar.flows.checkouts import checkouts, move_checkout
from nightjar.flows.inplace import REQUEST_S
from nightjar.flows.metadata import describe_again, rules_digest
from nightjar.flows.parallel import windows
from nightjar.flows.planning import plan
from nightjar.flows.points import Point
from nightjar.flows.runs import Run, read_json, read_table, write_json
from nightjar.flows.services import Services
from nightjar.lease import Lease
from nightjar.model import CollectionName, FieldValue, IndexObject

log = logging.getLogger(__name__)
_DOCUMENTS: Final = 100
_OWN: Final = [name for name in MANIFEST.names if name not in {*SIDECAR, "acl"}]


def apply_access(services: Services, run: Run, lease: Lease) -> int:
    """Record the groups that tonight's shards found, then spread them; returns how many documents' groups changed.

    Safe to repeat after a crash at any point, and before any gate: a document that nobody may read any more is closed
    although its new content failed, the night is rejected or the corpus is on hold.
    """
    now = read_access(services)
    learnt = _learnt(services, run, now)
    sequence = now.sequence + 1
    rows = merged(now.rows, learnt, sequence=sequence, seen=_seen_for_groups(run.base(services), learnt))
    rows = withheld(rows, sequence=sequence)
    told = read_json(services, run, "access.json")
    changed = told["changed"] if told else _changed(now.rows, rows)
    write_json(services, run, "access.json", {"changed": changed})
    moved = Access(rows, rules=rules_digest(services.corpus))
    if now.etag is None or not rows.equals(now.rows) or moved.rules != now.rules:
        lease.assure(REQUEST_S)
        now = move_access(services.state, now, moved)
    services.passing(Point.ACCESS_RECORDED)
    spread_access(services, now, lease=lease)
    log.info("access run=%s changed=%d sequence=%d", run.run_id, changed, now.sequence)
    return int(changed)


def spread_access(services: Services, access: Access, *, lease: Lease) -> None:
    """Patch the objects of every standing collection whose record says that it is behind.

    A collection that is being filled for the first time is left out: nobody searches it, and it is filled anew with
    what holds then.
    """
    standing = services.index.collections()
    for entry in list(checkouts(services)):
        held = entry.value
        filling = held.writing is not None and held.writing.source is None
        if filling or held.access >= access.sequence or held.collection not in standing:
            continue
        patched = _patch(services, CollectionName(held.collection), access, since=held.access, lease=lease)
        move_checkout(services.state, entry, replace(held, access=access.sequence))
        log.info("spread access=%d collection=%s objects=%d", access.sequence, held.collection, patched)
    services.passing(Point.ACCESS_SPREAD)


def _patch(services: Services, name: CollectionName, access: Access, *, since: int, lease: Lease) -> int:
    """The same vectors, so that the index does no graph work."""
    place = dict(zip(access.rows["document_id"].to_pylist(), access.rows["acl"].to_pylist(), strict=True))

    def stale(documents: list[str]) -> Iterator[IndexObject]:
        for each in services.index.of_documents(name, documents):
            groups = place[str(each.properties["document_id"])]
            due: FieldValue | None = None if groups is None else tuple(groups)
            patched = replace(each, properties={**each.properties, "acl": due})
            if patched.properties_digest != each.properties_digest:
                yield patched

    total = 0
    for documents in windows(access.since(since), size=_DOCUMENTS):
        behind = list(stale(list(documents)))
        lease.assure(REQUEST_S)
        total += services.index.write(name, behind) if behind else 0
    return total


def _learnt(services: Services, run: Run, now: Access) -> pa.Table:
    """Tonight's outcome, and every standing document again where the corpus file's metadata rules changed."""
    tables = [_outcome(services, run, shard.number, label=shard.label) for shard in plan(services, run).shards]
    outcome = pa.concat_tables(tables).cast(MANIFEST) if tables else MANIFEST.empty_table()
    if now.rules == rules_digest(services.corpus):
        return outcome
    base = run.base(services)
    rest = base.filter(pc.invert(pc.is_in(base["document_id"], outcome["document_id"].combine_chunks())))
    again = (describe_again(services.corpus, row) for row in rest.to_pylist())
    return pa.concat_tables([outcome, rows_table(again, MANIFEST)])


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
