"""What a gate said of a version: kept beside it with its page, and told alike in records, logs and events."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nightjar.artifacts import version_key
from nightjar.flows.services import Services
from nightjar.stages.evaluation.verdict import all_scores, main_score

log = logging.getLogger(__name__)
QUALITY: Final = "quality"
DRIFT: Final = "drift"
EVALUATION: Final = "evaluation"
GATES: Final = (QUALITY, DRIFT, EVALUATION)
"""Names of verdicts in a version's record, in their order, and of the reports beside it."""
_RECORDED: Final = ("state", "reason", "figures", "thresholds", "measured", "k")
_NEAREST: Final = 4

Verdict = Mapping[str, Any]
"""What `version.json` says of one gate: state, reason, figures and the address of its report.

A gate that had nothing to judge by has the state None and says why; one that a version never came to has no verdict.
"""


@dataclass(frozen=True, slots=True)
class Report:
    """A report at rest: the value behind the page, and the page."""

    values: Mapping[str, Any]
    page: str

    @property
    def as_json(self) -> bytes:
        """For people and programs."""
        return json.dumps(self.values, indent=1, allow_nan=False).encode()


def keep_report(services: Services, number: int, report: Report, *, name: str) -> str:
    """Both forms, beside the version's record; the page's address."""
    page = version_key(number, f"{name}.html")
    services.state.write(version_key(number, f"{name}.json"), report.as_json)
    services.state.write(page, report.page.encode())
    return f"{services.corpus.state_uri}{page}"


def kept_report(services: Services, number: int, *, name: str) -> dict[str, Any] | None:
    """The values of a report beside a version; None where that has none."""
    stored = services.state.read(version_key(number, f"{name}.json"))
    told: dict[str, Any] | None = json.loads(stored.data) if stored else None
    return told


def keep_verdict(services: Services, number: int, gate: str, report: Report) -> Verdict:
    """Keep a gate's report, log what it said, and return what the version's record says of it: bounded."""
    address = keep_report(services, number, report, name=gate)
    verdict = {name: report.values[name] for name in _RECORDED if name in report.values} | {"report": address}
    told = all_scores(verdict["figures"], k=verdict["k"]) if gate == EVALUATION else _main_figures(gate, verdict)
    log.info("judged version=%d gate=%s state=%s report=%s: %s", number, gate, verdict["state"], address, told)
    return verdict


def not_judged(number: int, gate: str, *, why: str) -> Verdict:
    """The verdict of a gate that had nothing to judge by."""
    log.info("not judged version=%d gate=%s: %s", number, gate, why)
    return {"state": None, "reason": why, "figures": {}}


def sentence(gate: str, verdict: Verdict | None) -> str:
    """`warn: why (main figures)`; for a gate that did not judge, why not."""
    if verdict is None:
        return "not judged: the version did not come so far"
    reason = f": {verdict['reason']}" if verdict["reason"] else ""
    told = _main_figures(gate, verdict)
    return f"{verdict['state'] or 'not judged'}{reason}" + (f" ({told})" if told else "")


def _main_figures(gate: str, verdict: Verdict) -> str:
    """Of drift those nearest to, or farthest beyond, what they may be; of quality all that are not 0."""
    figures, limits = verdict["figures"], verdict.get("thresholds")
    if gate == EVALUATION and figures:
        return main_score(figures)
    if limits is None:
        return ", ".join(f"{name} {value:g}" for name, value in figures.items() if value)
    nearest = sorted(figures, key=lambda name: -figures[name] / max(limits[name], 1e-9))
    return ", ".join(f"{name} {figures[name]:.4g} of {limits[name]:.4g}" for name in nearest[:_NEAREST])
