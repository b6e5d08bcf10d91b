"""Join the shards' outcomes into the candidate's manifest, and judge it before anything becomes visible."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import MANIFEST, rows_table, run_key, shard_key, version_key
from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows.access import read_access
from nightjar.flows.checks import judge_quality
from nightjar.flows.drift import Manifests, judge_drift
from nightjar.flows.manifests import checkout_digest, counts_of, failed_tonight, indexed, save_manifest
from nightjar.flows.metadata import describe_again, rules_digest
from nightjar.flows.parallel import in_order
from nightjar.flows.planning import Plan, plan
from nightjar.flows.points import Point
from nightjar.flows.refusals import judges_digest, standing_refusal
from nightjar.flows.runs import Run, read_json, read_table, write_json
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, open_version, read_version, save_version
from nightjar.stages.quality_page import render_quality
from nightjar.stages.states import State

log = logging.getLogger(__name__)
_INDEXED: Final = MANIFEST.names[MANIFEST.names.index("content_key") :]
_ACCESS: Final = frozenset({"object_metadata", "sidecar", "acl"})
_STOPS: Final = {"warn": ("warn", "fail"), "fail": ("fail",), "never": ()}
_REPORTS: Final = ("parsed", "chunked", "outcome")


@dataclass(frozen=True, slots=True)
class Gated:
    """What the gate decided: the candidate's number, None where the night changed nothing at all."""

    version: int | None
    state: str
    reason: str


def gate(services: Services, run: Run) -> Gated:
    """Build the candidate version and judge it.

    Raises:
        HeldBack: the quality or drift gate is red; the version is kept as `rejected`, nothing became visible.
        Misconfigured: a shard of the plan has no outcome.
    """
    made = plan(services, run)
    if made.empty:
        return _unchanged(services, run)
    base = run.base(services)
    outcome, tallies = _outcomes(services, run, made)
    target = build_target(services, run, base, outcome)
    if made.rebuild is None and run.live is not None and target.equals(_sorted(base)):
        return _unchanged(services, run)
    figures = documents_of(made, base=base, outcome=outcome, gone=_gone(services, run))
    tonight = {"documents": figures, "cost": _cost(tallies, target)}
    if same := standing_refusal(services, run, checkout=checkout_digest(target)):
        write_json(services, run, "version.json", {"version": same.number, **tonight})
        raise HeldBack(f"version {same.number} is {same.state}, and tonight makes the same: {same.reason}")
    version = _open(services, run)
    services.passing(Point.NUMBERED)
    quality = judge_quality(services, base=base, outcome=outcome, target=target)
    services.state.write(version_key(version.number, "quality.json"), json.dumps(quality.report, indent=1).encode())
    services.state.write(version_key(version.number, "quality.html"), render_quality(quality.report).encode())
    live = read_version(services.state, run.live.version) if run.live else None
    drift = judge_drift(services, version, live, Manifests(base, target), embedded=tonight["cost"]["embedded"])
    verdicts = {"quality": asdict(quality.verdict), "drift": drift, "evaluation": None}
    version = replace(
        version,
        manifest=tuple(save_manifest(services.state, target)),
        checkout=checkout_digest(target),
        counts=counts_of(target) | {"lost": lost_documents(base, target)},
        documents=figures,
        judged_by=judges_digest(services),
        deletions_approved=made.deletions_approved,
        metadata_rules=rules_digest(services.corpus),
        verdicts=verdicts,
        cost=tonight["cost"],
    )
    write_json(services, run, "version.json", {"version": version.number, **tonight})
    at = services.clock()
    if reason := _objection(services, run, verdicts):
        save_version(services.state, version.enter(State.REJECTED, at=at, actor=run.actor, reason=reason))
        raise HeldBack(f"version {version.number} is rejected: {reason}")
    if version.state is State.BUILDING:
        version = version.enter(State.GATED, at=at, actor=run.actor)
    save_version(services.state, version)
    services.passing(Point.GATED)
    told = " ".join(f"{name}={verdict['state']}" for name, verdict in verdicts.items() if verdict)
    log.info("gated run=%s version=%d %s", run.run_id, version.number, told)
    return Gated(version.number, str(version.state), "")


def _objection(services: Services, run: Run, verdicts: Mapping[str, Any]) -> str:
    """The first verdict that stops the version and that no person overruled; '' when none does."""
    stopping = {"drift": _STOPS[services.corpus.drift.stops]}
    for name, verdict in verdicts.items():
        state = (verdict or {}).get("state")
        if state in stopping.get(name, _STOPS["fail"]) and not is_overruled(services, run, name, state):
            return str(verdict["reason"]) if name == "quality" else f"{name}: {verdict['reason']}"
    return ""


def is_overruled(services: Services, run: Run, gate: str, state: str) -> bool:
    """A person promoted a version that this gate had judged no better, and the run builds it anew."""
    if run.options.decided is None:
        return False
    verdict = read_version(services.state, run.options.decided).verdicts.get(gate) or {}
    return verdict.get("state") in _STOPS[state]


def candidate(services: Services, run: Run) -> Version | None:
    """The version this run made; None while the night is `unchanged`."""
    record = read_json(services, run, "version.json")
    number = record and record["version"]
    return read_version(services.state, number) if number else None


def told_of(services: Services, run: Run) -> Mapping[str, Any]:
    """What the gate counted tonight: `documents` by what happened to them, `cost`; empty while there is no version."""
    return read_json(services, run, "version.json") or {}


def _unchanged(services: Services, run: Run) -> Gated:
    write_json(services, run, "version.json", {"version": None})
    log.info("unchanged run=%s", run.run_id)
    return Gated(None, "unchanged", "nothing differs and the index agrees")


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


def build_target(services: Services, run: Run, base: pa.Table, outcome: pa.Table) -> pa.Table:
    """Base, less what is gone, with tonight's rows in place; failed documents keep what they had in this space."""
    gone = _gone(services, run)
    carried = base.filter(pc.invert(pc.is_in(base["document_id"], outcome["document_id"].combine_chunks())))
    carried = carried.filter(pc.invert(pc.is_in(carried["document_id"], gone["document_id"].combine_chunks())))
    carried = _redescribed(services, run, carried)
    lost = failed_tonight(outcome)
    before = base.filter(pc.is_in(base["document_id"], lost["document_id"].combine_chunks()))
    had = {row["document_id"]: row for row in indexed(before).to_pylist() if row["space"] == run.recipe.space}
    kept = rows_table((_keeping(row, had.get(row["document_id"])) for row in lost.to_pylist()), MANIFEST)
    good = outcome.filter(pc.invert(pc.is_in(outcome["document_id"], lost["document_id"].combine_chunks())))
    return _sorted(read_access(services).over(pa.concat_tables([carried, kept, good])))


def _keeping(row: dict[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """A failed document's row: attempt and access are tonight's, what is indexed is what it had (perhaps nothing)."""
    digest = {"digest": row["digest"]} if before is None else {}
    return row | {name: before[name] if before else None for name in _INDEXED if name not in _ACCESS} | digest


def _redescribed(services: Services, run: Run, carried: pa.Table) -> pa.Table:
    """Fields and ACLs anew where the corpus file's metadata rules changed since the live version."""
    if run.live is None:
        return carried
    if read_version(services.state, run.live.version).metadata_rules == rules_digest(services.corpus):
        return carried
    rows = (describe_again(services.corpus, row) if row["content_key"] else row for row in carried.to_pylist())
    return rows_table(rows, MANIFEST)


def _sorted(manifest: pa.Table) -> pa.Table:
    return manifest.sort_by("document_id").combine_chunks()


def _gone(services: Services, run: Run) -> pa.Table:
    table = read_table(services, run_key(run.run_id, "gone.parquet"))
    return MANIFEST.empty_table() if table is None else table


def _open(services: Services, run: Run) -> Version:
    return open_version(
        services.state,
        Version(
            number=0,
            run_id=run.run_id,
            parent=run.live.version if run.live else None,
            recipe=run.recipe.upto("embed"),
            recipe_parts=run.recipe.as_json(),
            created_at=services.clock().isoformat(timespec="seconds"),
            rebuilds=run.options.decided,
        ),
    )


def documents_of(made: Plan, *, base: pa.Table, outcome: pa.Table, gone: pa.Table) -> dict[str, int]:
    """Documents by what happened to them, renames settled by digest: same bytes here, gone there."""
    was_there = pc.is_in(outcome["document_id"], base["document_id"].combine_chunks())
    added = outcome.filter(pc.invert(was_there))
    renamed = min(
        pc.sum(pc.is_in(added["digest"], gone["digest"].drop_null().combine_chunks())).as_py() or 0, gone.num_rows
    )
    return {
        "added": added.num_rows - renamed,
        "changed": made.changed,
        "deleted": gone.num_rows - renamed,
        "renamed": renamed,
        "unchanged": made.unchanged,
        "quarantined": failed_tonight(outcome).num_rows,
    }


def lost_documents(base: pa.Table, target: pa.Table) -> int:
    """Documents people find now that stay in the manifest and have no content there: they failed in a new space."""
    tried = target.filter(pc.is_null(target["content_key"]))
    return pc.sum(pc.is_in(tried["document_id"], indexed(base)["document_id"].combine_chunks())).as_py() or 0


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
