"""The evaluation gate as a step of the night, after the proof and before anybody is sent to the version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightjar.flows.evaluation import evaluate_filled, is_red, reject
from nightjar.flows.filling import take_back
from nightjar.flows.gates import is_overruled
from nightjar.flows.points import Point
from nightjar.flows.promotion import retire
from nightjar.flows.runs import Run, candidate
from nightjar.flows.services import Services
from nightjar.flows.verdicts import EVALUATION
from nightjar.lease import Lease
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy


def evaluate(services: Services, run: Run, *, lease: Lease) -> Mapping[str, Any] | None:
    """Ask the golden questions of the run's verified candidate; its verdict, None without such a candidate.

    Raises:
        HeldBack: the gate is red; the version is rejected. What it wrote to the live collection is taken back, a
            collection of its own goes as the rule for rejected versions says.
    """
    version = candidate(services, run)
    if version is None or version.state is not State.VERIFIED:
        return None
    version = evaluate_filled(services, run, version)
    services.passing(Point.EVALUATED)
    if is_red(version) and not is_overruled(services, run, EVALUATION, "fail"):
        if version.strategy == Strategy.IN_PLACE:
            reason = version.verdicts[EVALUATION]["reason"]
            take_back(services, version, lease=lease, actor=run.actor, reason=reason, holds=True)
        try:
            reject(services, version, actor=run.actor)
        finally:
            retire(services, lease=lease)
    return version.verdicts.get(EVALUATION)
