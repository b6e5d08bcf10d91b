"""Groups that the corpus file's metadata rules name, anew where those changed; what documents say themselves stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import ACCESS_ROWS, run_key
from nightjar.flows.access import Access, merged, regrouped
from nightjar.flows.manifests import LostBucket, read_bucket
from nightjar.flows.metadata import groups_again, rules_digest, says_groups
from nightjar.flows.planning import planned_work
from nightjar.flows.rows import Row
from nightjar.flows.runs import Run, read_table
from nightjar.flows.services import Services
from nightjar.flows.versions import read_versions
from nightjar.stages.plan import CHANGED


def by_todays_rules(services: Services, run: Run, now: Access) -> pa.Table:
    """Rows of the table with the groups that today's rules name; `now.rows` itself where nothing is to be said anew.

    Of documents that only earlier versions have, too: a rollback may serve them again. Those of the live version that
    the table lacks (it was restored) are added.
    """
    rows = _told(services, run, now.rows)
    if now.rules == rules_digest(services.corpus):
        return rows
    base, sequence = run.base(services), now.sequence + 1
    absent = base.filter(pc.invert(pc.is_in(base["document_id"], rows["document_id"].combine_chunks())))
    rows = merged(rows, absent, sequence=sequence)
    named = dict(zip(rows["document_id"].to_pylist(), rows["named"].to_pylist(), strict=True))
    documents = {row["document_id"]: row for row in (*_earlier(services, base, rows), *base.to_pylist())}
    again = {one: groups_again(services.corpus, row, named=named[one]) for one, row in documents.items()}
    was = zip(rows["document_id"].to_pylist(), rows["acl"].to_pylist(), strict=True)
    acl = pa.chunked_array([[again.get(one, groups) for one, groups in was]], ACCESS_ROWS.field("acl").type)
    return regrouped(rows, acl, sequence=sequence)


def _earlier(services: Services, base: pa.Table, rows: pa.Table) -> Iterator[Row]:
    """Of documents that the live version lacks their newest manifest row, with the groups that hold now."""
    lacking = rows.filter(pc.invert(pc.is_in(rows["document_id"], base["document_id"].combine_chunks())))
    wanted = set(lacking["document_id"].to_pylist())
    buckets = dict.fromkeys(key for version in read_versions(services.state) if wanted for key in version.manifest)
    for key in buckets:
        with suppress(LostBucket):  # nobody can be served what it had, and the audit says so
            bucket = read_bucket(services.state, key)
            found = bucket.filter(pc.is_in(bucket["document_id"], pa.array(wanted, pa.string())))
            yield from Access(rows).over(found).to_pylist()
            wanted -= set(found["document_id"].to_pylist())


def _told(services: Services, run: Run, rows: pa.Table) -> pa.Table:
    """Rows of earlier releases with `named`, as far as the live manifest can tell.

    It can of sound documents that a whole listing shows as the manifest knows them: of others it may be older than
    their groups.
    """
    unknown = rows.filter(pc.is_null(rows["named"]))["document_id"]
    if run.options.is_limited or not len(unknown):
        return rows
    base, work = run.base(services), planned_work(services, run)
    changed = work.filter(pc.equal(work["why"], CHANGED))["base_document_id"]
    left = [read_table(services, run_key(run.run_id, f"{name}.parquet")) for name in ("gone", "withheld")]
    unsure = [changed, *(table["document_id"] for table in left if table is not None)]
    sure = base.filter(
        pc.and_(pc.is_in(base["document_id"], unknown.combine_chunks()), pc.is_null(base["failure_code"]))
    )
    for documents in unsure:
        sure = sure.filter(pc.invert(pc.is_in(sure["document_id"], documents.combine_chunks())))
    if not sure.num_rows:
        return rows
    told = {row["document_id"]: says_groups(row) for row in sure.to_pylist()}
    column = pa.array(map(told.get, rows["document_id"].to_pylist()), pa.bool_())
    place = ACCESS_ROWS.names.index("named")
    return rows.set_column(place, ACCESS_ROWS.field("named"), pc.coalesce(rows["named"], column))
