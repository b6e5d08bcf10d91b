"""All detectors over two samples and two manifests, and what they mean for the version: none, warn or fail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from nightjar.plural import counted
from nightjar.stages.drift.canary import DETECTORS as CANARY_DETECTORS
from nightjar.stages.drift.composition import composition
from nightjar.stages.drift.contract import contract
from nightjar.stages.drift.embeddings import Novelty, embeddings, novelty
from nightjar.stages.drift.endings import cut
from nightjar.stages.drift.findings import FEWEST_DOCUMENTS, NONE, TOO_FEW, WARN, Finding, sentence, worst
from nightjar.stages.drift.phrases import repeated_phrase
from nightjar.stages.drift.resample import QUIET_TURNOVER, quiet_nights
from nightjar.stages.drift.sides import Side, Turnover
from nightjar.stages.drift.texts import COUNTED_BY_CHUNK, counters


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of a night: `reason` is one sentence, `notes` say what was judged less strictly, and why."""

    state: str
    reason: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    turnover: Turnover
    novelty: Novelty | None


@dataclass(frozen=True, slots=True)
class Planned:
    """What the night's recipe changed on purpose, so that what follows from it is no drift."""

    model: bool = False
    chunks: bool = False


def compare(
    live: Side, night: Side, *, manifests: tuple[pa.Table, pa.Table], planned: Planned, max_tokens: int
) -> Judgement:
    """Judge the candidate's sample against the live one.

    Args:
        live: sample of the live version; embedded by the candidate's model where that was changed on purpose.
        night: sample of the candidate.
        manifests: rows with content of the live version and of the candidate.
        planned: what was changed on purpose.
        max_tokens: what the model reads of one text.
    """
    turnover = Turnover.between(live, night)
    dimensions = live.vectors.shape[1] if len(live.vectors) and not planned.model else None
    found = contract(night, dimensions=dimensions, max_tokens=max_tokens)
    novel = None
    if is_learnable(live, night):
        quiet = quiet_nights(len(live.documents), turnover.at_least(QUIET_TURNOVER, of=len(live.documents)))
        is_comparable = live.vectors.shape[1] == night.vectors.shape[1] and live.is_finite and night.is_finite
        novel = novelty(live, night) if is_comparable else None
        found += [*counters(live, night, quiet), cut(live, night, novel), repeated_phrase(live, night, quiet)]
        found += composition(*manifests)
        if novel is not None:
            found += embeddings(live, night, quiet, novel)
    return judged(found, live=live, planned=planned, turnover=turnover, novel=novel)


def judged(
    found: Sequence[Finding], *, live: Side, planned: Planned, turnover: Turnover, novel: Novelty | None
) -> Judgement:
    """The verdict that findings amount to, less strict where there is a reason to be."""
    notes = tuple(_notes(live, planned))
    findings = tuple(_lenient(each, live, planned) for each in found)
    state = worst(findings)
    reason = sentence(findings)
    if state != NONE and len(live.documents) < FEWEST_DOCUMENTS and notes:
        reason = f"{reason} ({notes[0]})"
    return Judgement(state, reason, findings, notes, turnover, novel)


def is_learnable(live: Side, night: Side) -> bool:
    """Whether there are documents enough to say what is usual."""
    return len(live.documents) >= TOO_FEW and len(night.documents) > 0


_ABSOLUTE: Collection[str] = ("dimensions", "finite", "norm", "truncation", *CANARY_DETECTORS)


def _lenient(finding: Finding, live: Side, planned: Planned) -> Finding:
    if finding.detector in _ABSOLUTE:
        return finding
    if len(live.documents) < FEWEST_DOCUMENTS:
        return finding.at_most(WARN)
    if planned.chunks and finding.detector in COUNTED_BY_CHUNK:
        return finding.at_most(WARN)
    return finding


def _notes(live: Side, planned: Planned) -> list[str]:
    notes = []
    few = counted(len(live.documents), "document is", "documents are")
    if len(live.documents) < TOO_FEW:
        notes.append(f"{few} too few to learn what is usual: only the model was judged")
    elif len(live.documents) < FEWEST_DOCUMENTS:
        notes.append(f"{few} too few for thresholds that stop a version: below {FEWEST_DOCUMENTS} they only warn")
    if not live.is_finite:
        notes.append("numbers in the live version's vectors are not finite: vectors were not compared")
    if planned.model:
        notes.append("the embedding model was changed: the live sample was embedded again with the new one")
    if planned.chunks:
        notes.append("the chunk rules were changed: figures counted by chunk only warn")
    return notes
