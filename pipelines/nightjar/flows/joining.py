"""Join the shards' outcomes with what was there before: the candidate's manifest, and what the night did and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import MANIFEST, rows_table, run_key, shard_key
from nightjar.errors import Misconfigured
from nightjar.flows.access import read_access
from nightjar.flows.manifests import counts_of, failed_tonight, indexed, lost_documents
from nightjar.flows.metadata import describe_again, rules_digest
from nightjar.flows.moves import arrivals, failed_moves
from nightjar.flows.parallel import in_order
from nightjar.flows.planning import Plan
from nightjar.flows.runs import Run, read_json, read_table
from nightjar.flows.services import Services
from nightjar.flows.versions import read_version

_INDEXED: Final = MANIFEST.names[MANIFEST.names.index("content_key") :]
_ACCESS: Final = frozenset({"object_metadata", "sidecar", "acl"})
_REPORTS: Final = ("parsed", "chunked", "outcome")


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """A night's work put together, as tables of `MANIFEST`.

    `base` is what was live, `outcome` tonight's rows, `target` what both make; `documents` counts by what happened to
    them, `cost` sums what it took; `lost` documents are found now and were to stay, yet failed in a new space.
    """

    base: pa.Table
    outcome: pa.Table
    target: pa.Table
    documents: Mapping[str, int]
    cost: Mapping[str, Any]
    lost: int

    @property
    def changes_nothing(self) -> bool:
        """The candidate would be what is live, row by row."""
        return bool(self.target.equals(_sorted(self.base)))

    @property
    def counts(self) -> dict[str, int]:
        """What the candidate holds, and how many documents are lost to it."""
        return counts_of(self.target) | {"lost": self.lost}


def join(services: Services, run: Run, made: Plan) -> Joined:
    """Everything that the shards of the plan left.

    Raises:
        Misconfigured: a shard of the plan has no outcome, or documents of two embedding models would stand together.
    """
    base = run.base(services)
    outcome, tallies = _outcomes(services, run, made)
    gone, moved = (_planned(services, run, name) for name in ("gone.parquet", "moved.parquet"))
    failed = failed_moves(moved, base=base, outcome=outcome)
    staying = failed.filter(pc.equal(failed["space"], run.recipe.space))
    gone = _without(gone, staying)
    target = build_target(services, run, base, outcome, gone=gone)
    documents = documents_of(made, base=base, outcome=outcome, gone=gone)
    lost = len(lost_documents(base, target)) + failed.num_rows - staying.num_rows
    return Joined(base, outcome, target, documents, _cost(tallies, target), lost)


def _outcomes(services: Services, run: Run, made: Plan) -> tuple[pa.Table, list[Mapping[str, Any]]]:
    """Every shard's rows and reports; a shard without an outcome fails the night instead of shrinking it."""

    def read(number: int) -> tuple[pa.Table | None, Mapping[str, Any]]:
        reports = {name: read_json(services, run, f"shards/{number:04d}/{name}.json") for name in _REPORTS}
        return read_table(services, shard_key(run.run_id, number, "outcome.parquet")), reports

    results = list(in_order(read, [shard.number for shard in made.shards]))
    absent = [shard.label for shard, (table, _) in zip(made.shards, results, strict=True) if table is None]
    if absent:
        raise Misconfigured(f"shards without an outcome: {'; '.join(absent)}. Clear and re-run them, then this task")
    tables = [table for table, _ in results if table is not None]
    rows = pa.concat_tables(tables).cast(MANIFEST) if tables else MANIFEST.empty_table()
    return rows, [reports for _, reports in results]


def build_target(services: Services, run: Run, base: pa.Table, outcome: pa.Table, *, gone: pa.Table) -> pa.Table:
    """Base, less what is `gone`, with tonight's rows in place; failed documents keep what they had in this space.

    Raises:
        Misconfigured: rows of another space would stay, and no search could compare them with the others.
    """
    carried = _without(_without(base, outcome), gone)
    lost = failed_tonight(outcome)
    before = base.filter(pc.is_in(base["document_id"], lost["document_id"].combine_chunks()))
    had = {row["document_id"]: row for row in indexed(before).to_pylist() if row["space"] == run.recipe.space}
    kept = rows_table((_keeping(row, had.get(row["document_id"])) for row in lost.to_pylist()), MANIFEST)
    good = _without(outcome, lost)
    target = pa.concat_tables([_redescribed(services, run, pa.concat_tables([carried, kept])), good])
    _refuse_other_spaces(target, space=run.recipe.space)
    return _sorted(read_access(services).over(target))


def _refuse_other_spaces(target: pa.Table, *, space: str) -> None:
    other = indexed(target).filter(pc.not_equal(indexed(target)["space"], space))
    if other.num_rows:
        raise Misconfigured(
            f"{other.num_rows} documents of the candidate were embedded by another model than the others: trigger a new"
            " run of the whole corpus"
        )


def _keeping(row: dict[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A failed document's row: attempt and access are tonight's, what is indexed is what it had (perhaps nothing)."""
    digest = {"digest": row["digest"]} if before is None else {}
    return row | {name: before[name] if before else None for name in _INDEXED if name not in _ACCESS} | digest


def _redescribed(services: Services, run: Run, standing: pa.Table) -> pa.Table:
    """Fields and ACLs anew where the corpus file's metadata rules changed since the live version."""
    if run.live is None:
        return standing
    if read_version(services.state, run.live.version).metadata_rules == rules_digest(services.corpus):
        return standing
    rows = (describe_again(services.corpus, row) if row["content_key"] else row for row in standing.to_pylist())
    return rows_table(rows, MANIFEST)


def _sorted(manifest: pa.Table) -> pa.Table:
    return manifest.sort_by("document_id").combine_chunks()


def _without(rows: pa.Table, others: pa.Table) -> pa.Table:
    """Rows of the documents that have none in `others`."""
    return rows.filter(pc.invert(pc.is_in(rows["document_id"], others["document_id"].combine_chunks())))


def _planned(services: Services, run: Run, name: str) -> pa.Table:
    """Manifest rows that the plan kept; none where nothing was."""
    table = read_table(services, run_key(run.run_id, name))
    return MANIFEST.empty_table() if table is None else table


def documents_of(made: Plan, *, base: pa.Table, outcome: pa.Table, gone: pa.Table) -> dict[str, int]:
    """Documents by what happened to them, renames settled by digest: same bytes here, gone there."""
    come = arrivals(base, outcome)
    come = come.filter(pc.is_in(come["digest"], gone["digest"].drop_null().combine_chunks()))
    renamed = min(come.num_rows, gone.num_rows)
    return {
        "added": _without(outcome, base).num_rows - min(_without(come, base).num_rows, renamed),
        "changed": made.changed,
        "deleted": gone.num_rows - renamed,
        "renamed": renamed,
        "unchanged": made.unchanged,
        "quarantined": failed_tonight(outcome).num_rows,
    }


def _cost(tallies: list[Mapping[str, Any]], target: pa.Table) -> dict[str, Any]:
    """Work of the night, summed over shards; rates for the next plan's estimate."""
    total = {
        "bytes": sum(t["parsed"]["bytes"] for t in tallies),
        "parsed": sum(t["parsed"]["parsed"] for t in tallies),
        "chunks_made": sum(t["chunked"]["chunks"] for t in tallies),
        "embedded": sum(t["outcome"]["embedded"] for t in tallies),
        "reused": sum(t["outcome"]["reused"] for t in tallies),
        "tokens": sum(t["outcome"]["tokens"] for t in tallies),
        "truncated_tokens": sum(t["outcome"]["truncated_tokens"] for t in tallies),
        "seconds": {
            "parse": sum(t["parsed"]["seconds"] for t in tallies),
            "chunk": sum(t["chunked"]["chunk_seconds"] for t in tallies),
            "check": sum(t["chunked"]["seconds"] - t["chunked"]["chunk_seconds"] for t in tallies),
            "embed": sum(t["outcome"]["seconds"] for t in tallies),
        },
    }
    tokens, size = counts_of(target)["tokens"], pc.sum(indexed(target)["size"]).as_py() or 0
    spent = sum(total["seconds"].values())
    total["bytes_a_token"] = size / tokens if tokens else None
    total["seconds_a_token"] = spent / total["tokens"] if total["tokens"] else None
    return total
