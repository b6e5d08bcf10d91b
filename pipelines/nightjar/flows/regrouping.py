"""Groups that the corpus file's metadata rules name, anew where those changed; what documents say themselves stays."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import ACCESS_ROWS, run_key
from nightjar.flows.access import Access, merged, regrouped
from nightjar.flows.metadata import groups_again, rules_digest, says_groups
from nightjar.flows.planning import planned_work
from nightjar.flows.runs import Run, read_table
from nightjar.flows.services import Services
from nightjar.stages.plan import CHANGED


def by_todays_rules(services: Services, run: Run, now: Access) -> pa.Table:
    """Rows of the table with the groups that today's rules name; `now.rows` itself where nothing is to be said anew.

    Documents that the live version lacks keep theirs; those that the table lacks (it was restored) are added.
    """
    rows = _told(services, run, now.rows)
    if now.rules == rules_digest(services.corpus):
        return rows
    base, sequence = run.base(services), now.sequence + 1
    absent = base.filter(pc.invert(pc.is_in(base["document_id"], rows["document_id"].combine_chunks())))
    rows = merged(rows, absent, sequence=sequence)
    named = dict(zip(rows["document_id"].to_pylist(), rows["named"].to_pylist(), strict=True))
    documents = {row["document_id"]: row for row in base.to_pylist()}
    again = {one: groups_again(services.corpus, row, named=named[one]) for one, row in documents.items()}
    was = zip(rows["document_id"].to_pylist(), rows["acl"].to_pylist(), strict=True)
    acl = pa.chunked_array([[again.get(one, groups) for one, groups in was]], ACCESS_ROWS.field("acl").type)
    return regrouped(rows, acl, sequence=sequence)


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
