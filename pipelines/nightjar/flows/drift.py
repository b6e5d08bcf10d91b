"""The drift gate: the candidate's sample against the live version's, before anything is indexed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from nightjar.artifacts import SAMPLE, version_key
from nightjar.flows.canaries import judge_canary
from nightjar.flows.manifests import indexed
from nightjar.flows.points import Point
from nightjar.flows.samples import keep_sample, make_sample, read_sample
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_version, version_numbers
from nightjar.stages.drift import Finding, Judgement, Planned, Side, compare, is_learnable, judged

log = logging.getLogger(__name__)
FIRST: Final = "no live version to compare"
_HISTORY: Final = 20

Verdict = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Manifests:
    """All rows of the live version's manifest and of the candidate's."""

    live: pa.Table
    night: pa.Table


def judge_drift(
    services: Services, version: Version, live: Version | None, manifests: Manifests, *, embedded: int
) -> Verdict | None:
    """Judge the candidate and keep the evidence beside it; None where the corpus file asks for no comparison.

    `embedded` is how many texts tonight's model embedded. The sample is kept in any case: what is live tomorrow is
    compared with what comes then. On a first night the verdict's state is None.
    """
    known = read_sample(services, live) if live else SAMPLE.empty_table()
    sample = make_sample(services, manifests.night, known=known)
    keep_sample(services, version.number, sample)
    services.passing(Point.SAMPLED)
    if not services.corpus.drift.enabled:
        return None
    canaries = judge_canary(services, version, live, embedded=embedded)
    if live is None:
        return {"state": None, "reason": FIRST, "figures": {}, "thresholds": {}}
    planned = planned_between(version, live)
    sides = sides_of(services, known, sample, planned=planned)
    found = judgement_of(services, sides, manifests, planned=planned, further=canaries)
    verdict = verdict_of(found)
    keep_report(services, version, live, verdict, sides, manifests, found)
    log.info("drift version=%d verdict=%s %s", version.number, found.state, _figures(found.findings))
    return verdict


def planned_between(version: Version, live: Version) -> Planned:
    """What the corpus file or a library changed between the two recipes."""
    parts = [(version.recipe_parts.get(name), live.recipe_parts.get(name)) for name in ("embed", "chunk")]
    return Planned(model=parts[0][0] != parts[0][1], chunks=parts[1][0] != parts[1][1])


def sides_of(services: Services, live: pa.Table, night: pa.Table, *, planned: Planned) -> tuple[Side, Side]:
    """Both samples; after a planned change of model the live passages are embedded again, with the candidate's."""
    before, now = Side.of(live), Side.of(night)
    if planned.model and is_learnable(before, now):
        texts = [_embedded_text(row) for row in live.select(["context", "text"]).to_pylist()]
        before = before.embedded_again(services.embedder().embed(texts))
    return before, now


def judgement_of(
    services: Services,
    sides: tuple[Side, Side],
    manifests: Manifests,
    *,
    planned: Planned,
    further: list[Finding],
) -> Judgement:
    """What all detectors say, `further` findings included."""
    rows = indexed(manifests.live), indexed(manifests.night)
    limit = services.tokenizer().max_tokens
    found = compare(*sides, manifests=rows, planned=planned, max_tokens=limit)
    everything = [*further, *found.findings]
    return judged(everything, live=sides[0], planned=planned, turnover=found.turnover, novel=found.novelty)


def verdict_of(found: Judgement) -> Verdict:
    """What `version.json` says: bounded, whatever the corpus."""
    return {
        "state": found.state,
        "reason": found.reason or "; ".join(found.notes),
        "figures": {finding.detector: round(finding.value, 6) for finding in found.findings},
        "thresholds": {finding.detector: round(finding.threshold, 6) for finding in found.findings},
    }


def keep_report(
    services: Services,
    version: Version,
    live: Version,
    verdict: Verdict,
    sides: tuple[Side, Side],
    manifests: Manifests,
    found: Judgement,
) -> None:
    """`drift.json` and `drift.html` beside the version."""
    del sides, manifests, found
    report = {"format": 1, "version": version.number, "live": live.number, **verdict}
    services.state.write(version_key(version.number, "drift.json"), json.dumps(report, indent=1).encode())


def history(services: Services, version: Version) -> list[Mapping[str, Any]]:
    """Drift verdicts of the last versions before this one, oldest first, each with its `version`."""
    numbers = [number for number in version_numbers(services.state) if number < version.number][-_HISTORY + 1 :]
    found = ((number, read_version(services.state, number).verdicts.get("drift")) for number in numbers)
    return [{"version": number, **verdict} for number, verdict in found if verdict and verdict.get("state")]


def _embedded_text(row: Mapping[str, str]) -> str:
    return f"{row['context']}\n{row['text']}" if row["context"] else row["text"]


def _figures(findings: tuple[Finding, ...]) -> str:
    """The gravest figures, for one line of log."""
    told = sorted(findings, key=lambda each: -each.value / max(each.threshold, 1e-9))[:4]
    return " ".join(f"{each.detector}={each.value:.4g}/{each.threshold:.4g}" for each in told)
