"""Judge the night's candidate before anything becomes visible, and keep the evidence with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from nightjar.errors import HeldBack
from nightjar.flows.checks import judge_quality
from nightjar.flows.drift import Manifests, judge_drift
from nightjar.flows.joining import Joined, join
from nightjar.flows.manifests import checkout_digest, save_manifest
from nightjar.flows.metadata import rules_digest
from nightjar.flows.planning import plan
from nightjar.flows.points import Point
from nightjar.flows.refusals import judges_digest, standing_refusal
from nightjar.flows.runs import Run, write_json
from nightjar.flows.services import Services
from nightjar.flows.verdicts import DRIFT, EVALUATION, QUALITY, Report, keep_verdict
from nightjar.flows.versions import Version, open_version, read_version, save_version
from nightjar.stages.enrich import told_set_aside
from nightjar.stages.quality_page import render_quality
from nightjar.stages.states import State

log = logging.getLogger(__name__)
_STOPS: Final = {"warn": ("warn", "fail"), "fail": ("fail",), "never": ()}


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
    night = join(services, run, made)
    if made.rebuild is None and run.live is not None and night.changes_nothing:
        return _unchanged(services, run)
    tonight, checkout = {"documents": night.documents, "cost": night.cost}, checkout_digest(night.target)
    if same := standing_refusal(services, run, night.target, checkout=checkout):
        write_json(services, run, "version.json", {"version": same.number, **tonight})
        raise HeldBack(f"version {same.number} is {same.state}, and tonight makes the same: {same.reason}")
    version = _open(services, run)
    services.passing(Point.NUMBERED)
    verdicts = _verdicts(services, run, version, night)
    version = replace(
        version,
        manifest=tuple(save_manifest(services.state, night.target)),
        checkout=checkout,
        counts=night.counts,
        documents=night.documents,
        judged_by=judges_digest(services),
        deletions_approved=made.deletions_approved,
        metadata_rules=rules_digest(services.corpus),
        verdicts=verdicts,
        cost=night.cost,
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
    log.info("gated run=%s version=%d", run.run_id, version.number)
    return Gated(version.number, str(version.state), "")


def _verdicts(services: Services, run: Run, version: Version, night: Joined) -> dict[str, Any]:
    """What each gate that needs no index says, its evidence kept beside the version."""
    report = judge_quality(services, base=night.base, outcome=night.outcome, target=night.target)
    if told := told_set_aside(report["set_aside"]):
        log.warning("metadata run=%s version=%d %s", run.run_id, version.number, told)
    quality = keep_verdict(services, version.number, QUALITY, Report(report, render_quality(report)))
    live = read_version(services.state, run.live.version) if run.live else None
    manifests = Manifests(night.base, night.target)
    drift = judge_drift(services, version, live, manifests, embedded=night.cost["embedded"])
    return {QUALITY: quality, DRIFT: drift, EVALUATION: None}


def _objection(services: Services, run: Run, verdicts: Mapping[str, Any]) -> str:
    """The first verdict that stops the version and that no person overruled; '' when none does."""
    stopping = {DRIFT: _STOPS[services.corpus.drift.stops]}
    for name, verdict in verdicts.items():
        state = (verdict or {}).get("state")
        if state in stopping.get(name, _STOPS["fail"]) and not is_overruled(services, run, name, state):
            return str(verdict["reason"]) if name == QUALITY else f"{name}: {verdict['reason']}"
    return ""


def is_overruled(services: Services, run: Run, gate: str, state: str) -> bool:
    """A person promoted a version that this gate had judged no better, and the run builds it anew."""
    if run.options.decided is None:
        return False
    verdict = read_version(services.state, run.options.decided).verdicts.get(gate) or {}
    return verdict.get("state") in _STOPS[state]


def _unchanged(services: Services, run: Run) -> Gated:
    write_json(services, run, "version.json", {"version": None})
    log.info("unchanged run=%s", run.run_id)
    return Gated(None, "unchanged", "nothing differs and the index agrees")


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
