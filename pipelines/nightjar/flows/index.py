"""Get the candidate into Weaviate: beside the live collection, or into it where every gate has passed before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightjar.flows.evaluation import evaluate_overlay
from nightjar.flows.filling import check_out, prove
from nightjar.flows.runs import Run, candidate, read_json, write_json
from nightjar.flows.services import Services
from nightjar.flows.strategies import with_strategy
from nightjar.flows.versions import read_live
from nightjar.flows.waiting import reason_to_wait, wait
from nightjar.lease import Lease
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy


def index(services: Services, run: Run, *, lease: Lease) -> Mapping[str, Any]:
    """Check the run's candidate out. Returns what was written.

    Raises:
        HeldBack: golden questions would be answered worse after a write to the live collection, so that the version is
            rejected; or the version must wait, and would change what people search. A collection of its own is filled
            all the same, so that it can be looked at.
    """
    version = candidate(services, run)
    if version is None or version.state not in {State.GATED, State.INDEXING}:
        return {"written": 0, "deleted": 0}
    live = read_live(services.state)
    version = with_strategy(services, version, live, full_refresh=run.options.full_refresh)
    if version.strategy == Strategy.IN_PLACE and live is not None:
        version = evaluate_overlay(services, run, version, live)
    reason = reason_to_wait(services, run, version, live)
    if version.strategy == Strategy.IN_PLACE and reason:
        wait(services, version, lease=lease, actor=run.actor, reason=reason)
    written = check_out(services, version, live, lease=lease, actor=run.actor)
    before = read_json(services, run, "written.json") or {"written": 0, "deleted": 0, "sample": ()}
    told = {
        "written": before["written"] + written.written + written.patched,
        "deleted": before["deleted"] + written.dropped,
    }
    write_json(services, run, "written.json", {**told, "sample": written.sample or before["sample"]})
    return told


def verify(services: Services, run: Run, *, lease: Lease) -> Mapping[str, Any]:
    """Prove the candidate's collection before anybody is sent to it.

    Raises:
        Transient: a collection of its own is not the checkout, nor is a second one; nothing was promoted.
        HeldBack: the live collection is not the checkout; it was taken back, and the version is rejected.
    """
    version = candidate(services, run)
    if version is None or version.collection is None or version.state not in {State.GATED, State.INDEXING}:
        return {"checked": 0}
    kept = read_json(services, run, "written.json") or {}
    return prove(services, version, lease=lease, actor=run.actor, written=kept.get("sample", ()))
