"""The drift gate: the candidate's sample against the live version's, before anything is indexed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import pyarrow as pa

from nightjar.artifacts import SAMPLE
from nightjar.errors import Misconfigured
from nightjar.flows.canaries import judge_canary, kept_canaries
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.points import Point
from nightjar.flows.samples import keep_sample, make_sample, read_sample
from nightjar.flows.searching import refuse_other_model
from nightjar.flows.services import Services
from nightjar.flows.verdicts import DRIFT, Report, Verdict, keep_verdict, not_judged
from nightjar.flows.versions import Version, read_version, version_numbers
from nightjar.stages.drift import (
    Finding,
    Judgement,
    Planned,
    Side,
    compare,
    is_learnable,
    judged,
    newly_set_aside,
    set_aside,
)

FIRST: Final = "no live version to compare"
DISABLED: Final = "the corpus file says drift.enabled: false"
_HISTORY: Final = 20
_LOOKED_BACK: Final = 100
"""Versions that are read for it at most: most of them may have no verdict."""


@dataclass(frozen=True, slots=True, eq=False)
class Manifests:
    """All rows of the live version's manifest and of the candidate's."""

    live: pa.Table
    night: pa.Table


def judge_drift(
    services: Services, version: Version, live: Version | None, manifests: Manifests, *, embedded: int
) -> Verdict:
    """Judge the candidate and keep the evidence beside it; a first version, or where it is disabled, is not judged.

    `embedded` is how many texts tonight's model embedded. The sample is kept in any case: what is live tomorrow is
    compared with what comes then.
    """
    known = read_sample(services, live) if live else SAMPLE.empty_table()
    sample = make_sample(services, manifests.night, known=known)
    keep_sample(services, version.number, sample)
    services.passing(Point.SAMPLED)
    if not services.corpus.drift.enabled:
        return not_judged(version.number, DRIFT, why=DISABLED)
    canaries = judge_canary(services, version, live, embedded=embedded)
    if live is None:
        return not_judged(version.number, DRIFT, why=FIRST)
    made = _judged(services, (live, version), (known, sample), manifests, canaries=canaries)
    return keep_verdict(services, version.number, DRIFT, made)


def compare_versions(services: Services, before: int, after: int) -> Report:
    """The report on any two versions, from what both keep; nothing is written, and no model is asked about itself.

    Raises:
        Misconfigured: there is no such version, it never came to its gate, or the two need a model that the corpus
            file no longer names.
    """
    versions = read_version(services.state, before), read_version(services.state, after)
    for version in versions:
        if not version.manifest:
            raise Misconfigured(f"version {version.number} is {version.state} and has no documents to compare")
    if _planned(versions[1], versions[0]).model:
        refuse_other_model(services, versions[1])
    samples = read_sample(services, versions[0]), read_sample(services, versions[1])
    manifests = Manifests(*(load_manifest(services.state, version.manifest) for version in versions))
    return _judged(services, versions, samples, manifests, canaries=kept_canaries(services, versions[1], versions[0]))


def _judged(
    services: Services,
    versions: tuple[Version, Version],
    samples: tuple[pa.Table, pa.Table],
    manifests: Manifests,
    *,
    canaries: list[Finding],
) -> Report:
    from nightjar.flows.drift_report import report  # noqa: PLC0415 - plots come with an extra that shells may lack

    live, version = versions
    planned = _planned(version, live)
    sides = _sides(services, *samples, planned=planned)
    rows = indexed(manifests.live), indexed(manifests.night)
    limit = services.tokenizer().max_tokens
    compared = compare(*sides, manifests=rows, planned=planned, max_tokens=limit)
    aside = [set_aside(manifests.live, manifests.night)] if is_learnable(*sides) else []
    everything = [*canaries, *compared.findings, *aside]
    found = judged(everything, live=sides[0], planned=planned, turnover=compared.turnover, novel=compared.novelty)
    about = {"corpus": services.corpus.name, "version": version.number, "live": live.number, **_verdict(found)}
    told = newly_set_aside(manifests.live, manifests.night)
    return report(about, found, sides=sides, manifests=rows, aside=told, history=_history(services, version))


def _planned(version: Version, live: Version) -> Planned:
    """What the corpus file or a library changed between the two recipes."""

    def differs(stage: str) -> bool:
        return bool(version.recipe_parts.get(stage) != live.recipe_parts.get(stage))

    return Planned(model=differs("embed"), chunks=differs("chunk"))


def _sides(services: Services, live: pa.Table, night: pa.Table, *, planned: Planned) -> tuple[Side, Side]:
    """Both samples; after a planned change of model the live passages are embedded again, with the candidate's."""
    before, now = Side.of(live), Side.of(night)
    if planned.model and is_learnable(before, now):
        texts = [_embedded_text(row) for row in live.select(["context", "text"]).to_pylist()]
        before = before.embedded_again(services.embedder().embed(texts))
    return before, now


def _embedded_text(row: Mapping[str, str]) -> str:
    return f"{row['context']}\n{row['text']}" if row["context"] else row["text"]


def _verdict(found: Judgement) -> Mapping[str, Any]:
    """Bounded, whatever the corpus."""
    return {
        "state": found.state,
        "reason": found.reason or "; ".join(found.notes),
        "figures": {finding.detector: round(finding.value, 6) for finding in found.findings},
        "thresholds": {finding.detector: round(finding.threshold, 6) for finding in found.findings},
    }


def _history(services: Services, version: Version) -> list[Mapping[str, Any]]:
    """The last drift verdicts before this version's, oldest first, each with its `version`."""
    numbers = [number for number in version_numbers(services.state) if number < version.number][-_LOOKED_BACK:]
    found = ((number, read_version(services.state, number).verdicts.get("drift")) for number in reversed(numbers))
    names = ("state", "figures", "thresholds")
    told: Iterator[Mapping[str, Any]] = (
        {"version": number, **{name: verdict[name] for name in names}}
        for number, verdict in found
        if verdict and verdict.get("state")
    )
    return list(islice(told, _HISTORY - 1))[::-1]
