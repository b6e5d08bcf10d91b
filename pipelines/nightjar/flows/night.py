"""A night from start to end, in one process or task by task: settle, plan, shards, gate, index, verify … promote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from nightjar.artifacts import run_key
from nightjar.errors import HeldBack
from nightjar.flows.chunking import chunk_shard
from nightjar.flows.embedding import embed_shard
from nightjar.flows.evaluating import evaluate
from nightjar.flows.fence import holding
from nightjar.flows.gates import gate
from nightjar.flows.granting import apply_access, apply_listed_access
from nightjar.flows.index import index, verify
from nightjar.flows.parsing import parse_shard
from nightjar.flows.planning import Plan, plan
from nightjar.flows.points import Point
from nightjar.flows.promotion import promote
from nightjar.flows.runs import (
    Options,
    Run,
    candidate,
    find_run,
    read_json,
    read_table,
    require_current,
    told_of,
    write_json,
)
from nightjar.flows.services import Services
from nightjar.flows.settle import settle
from nightjar.flows.timing import ONE_AFTER_ANOTHER, seconds_of, timed
from nightjar.flows.verdicts import GATES, QUALITY, kept_report
from nightjar.flows.versions import Version, keep_seconds, read_version
from nightjar.lease import Lease
from nightjar.owner import Owner
from nightjar.stages.states import State

_SHOWN: Final = 200
SHARD_STEPS: Final = ((parse_shard, Point.PARSED), (chunk_shard, Point.CHUNKED), (embed_shard, Point.EMBEDDED))
_WHOLE_STEPS: Final[tuple[tuple[str, Callable[[Services, Run, Lease], object]], ...]] = (
    ("access", apply_access),
    ("gates", lambda services, run, _lease: gate(services, run)),
    ("index", lambda services, run, lease: index(services, run, lease=lease)),
    ("verify", lambda services, run, lease: verify(services, run, lease=lease)),
    ("evaluate", lambda services, run, lease: evaluate(services, run, lease=lease)),
    ("promote", lambda services, run, lease: promote(services, run, lease=lease)),
)


def run_night(services: Services, *, run_id: str, owner: Owner, options: Options, actor: str = "") -> Mapping[str, Any]:
    """One whole night in this process; returns the promised shape of `run --json`.

    `actor` is who stands behind it in the version's history; '': the owner.

    Raises:
        HeldBack: a gate, a guard, a hold or another run; what was computed is kept. The report is written all the same.
    """
    with holding(services, run_id=run_id, owner=owner) as (fenced, lease):
        services.passing(Point.LEASED)
        services.parser().start()  # a process of its own, while this one asks servers; ended where no document needs it
        run = settle(fenced, run_id=run_id, actor=actor or owner.name, options=options, lease=lease)
        try:
            made = timed(fenced, run, "plan", lambda: approved_plan(fenced, run, lease))
            if made.shards:
                _make_shards(fenced, run, made)
            for name, step_of_all in _WHOLE_STEPS:
                require_current(fenced, run)
                timed(fenced, run, name, partial(step_of_all, fenced, run, lease))
        except HeldBack as held:
            finish(fenced, run, reason=str(held))
            raise
        return finish(fenced, run, reason="")


def _make_shards(services: Services, run: Run, made: Plan) -> None:
    with services.opened_ahead():
        for shard in made.shards:
            for step, point in SHARD_STEPS:
                require_current(services, run)
                step(services, run, shard.number)
                services.passing(point)


def approved_plan(services: Services, run: Run, lease: Lease) -> Plan:
    """The plan of a run that may go on; who may read what holds by then, whether it may or not.

    Raises:
        HeldBack: it would cost more than the corpus file allows without asking; nothing was made.
    """
    made = plan(services, run)
    services.passing(Point.PLANNED)
    apply_listed_access(services, run, lease)
    if made.held:
        raise HeldBack(made.held)
    return made


def finish(services: Services, run: Run, *, reason: str) -> Mapping[str, Any]:
    """The run's report, kept as `runs/<run id>/report.json` for whoever asks later."""
    version = candidate(services, run)
    made: Plan = plan(services, run)
    told = told_of(services, run)
    cost = told.get("cost", {})
    seconds = seconds_of(services, run)
    if version is not None and version.run_id == run.run_id:  # not the one that stands already where tonight equals it
        keep_seconds(services.state, version.number, seconds)
    # Tasks of one run may end in other processes, which share the wall clock alone; it may have been set back.
    by_clock = round((services.clock() - run.started_at).total_seconds(), 3)
    seconds["total"] = max(by_clock, sum(seconds[name] for name in ONE_AFTER_ANOTHER))
    standing = _standing(services, run, version)
    counts = standing.counts if standing else {}
    quality = (kept_report(services, standing.number, name=QUALITY) if standing else None) or {}
    written = (read_json(services, run, "written.json") if version else None) or {}
    documents = told.get("documents") or _nothing(made)
    report = {
        "format": 1,
        "corpus": services.corpus.name,
        "run_id": run.run_id,
        "version": version.number if version else None,
        "state": _state(version, made),
        "reason": reason or (version.reason if version else "") or made.held or made.guard,
        "documents": {**documents, "access_changed": _access_changed(services, run)},
        "chunks": {
            "total": counts.get("chunks", 0),
            "written": written.get("written", 0),
            "deleted": written.get("deleted", 0),
            "embedded": cost.get("embedded", 0),
            "reused": cost.get("reused", 0),
            "truncated_tokens": cost.get("truncated_tokens", 0),
        },
        "parsed": cost.get("parsed", 0),
        "tokens": cost.get("tokens", 0),
        "withheld": withheld_deletions(services, run),
        "erased": made.erased,
        "stale": made.stale,
        "upgrade": made.upgrade,
        "set_aside": quality.get("set_aside", []),
        "seconds": seconds,
        "verdicts": dict(version.verdicts) if version else dict.fromkeys(GATES),
    }
    write_json(services, run, "report.json", report)
    return report


def _standing(services: Services, run: Run, version: Version | None) -> Version | None:
    """The night's version, else the one that stays live."""
    if version is None and run.live is not None:
        return read_version(services.state, run.live.version)
    return version


def _state(version: Version | None, made: Plan) -> str:
    if version is None:
        return "held" if made.held else "unchanged"
    return "held" if version.state is State.WAITING and "on hold" in version.reason else str(version.state)


def _access_changed(services: Services, run: Run) -> int:
    told = read_json(services, run, "access.json") or {}
    return sum(told.values())


def _nothing(made: Plan) -> dict[str, int]:
    return {
        "added": 0,
        "changed": made.changed,
        "deleted": 0,
        "renamed": 0,
        "unchanged": made.unchanged,
        "quarantined": 0,
    }


def withheld_deletions(services: Services, run: Run) -> Mapping[str, Any]:
    """How many deletions the guard withheld, and the first of them with when they were first missed."""
    table = read_table(services, run_key(run.run_id, "withheld.parquet"))
    if table is None:
        return {"count": 0, "documents": []}
    shown = table.select(["uri", "first_missed"]).rename_columns(["source_uri", "first_missed"]).slice(0, _SHOWN)
    return {"count": table.num_rows, "documents": shown.to_pylist()}


def report_of(services: Services, run_id: str) -> Mapping[str, Any] | None:
    """A finished run's report; None while it is under way."""
    run = find_run(services, run_id)
    found = run and read_json(services, run, "report.json")
    return dict(found) if found else None
