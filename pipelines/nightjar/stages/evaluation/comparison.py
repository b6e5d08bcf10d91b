"""Two sides of one search mode, question by question: means, intervals, and the paired difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import numpy as np

from nightjar.stages.evaluation.answers import Found
from nightjar.stages.evaluation.resampling import Estimate, Scores, estimates

Measure = Literal["recall", "mrr", "ndcg"]
MEASURES: Final[tuple[Measure, ...]] = ("recall", "mrr", "ndcg")
MODES: Final = ("vector", "keyword", "hybrid")


@dataclass(frozen=True, slots=True)
class Scored:
    """One question's scores by measure, and what was found first."""

    scores: Mapping[str, float]
    found: tuple[Found, ...]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """The reverse of `dataclasses.asdict`."""
        return cls(record["scores"], tuple(Found(**each) for each in record["found"]))


Side = Mapping[str, tuple[Scored, ...]]
"""By mode, one for each question, in their order."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure of one mode. `live` and `difference` (candidate less live) are None where nothing was compared."""

    mode: str
    measure: Measure
    candidate: Estimate
    live: Estimate | None
    difference: Estimate | None


def compare(candidate: Side, live: Side | None, *, pairs: Sequence[int]) -> list[Compared]:
    """Every measure of every mode that the candidate was asked in.

    `pairs` are the questions that both sides can be judged by; live and difference are over those alone.
    """
    found: list[Compared] = []
    for mode in (mode for mode in MODES if mode in candidate):
        ours = _table(candidate[mode])
        whole = estimates(ours)
        theirs = _table(live[mode])[list(pairs)] if live and mode in live and pairs else None
        standing = estimates(theirs) if theirs is not None else None
        moved = estimates(ours[list(pairs)] - theirs) if theirs is not None else None
        found += [
            Compared(mode, measure, whole[at], standing[at] if standing else None, moved[at] if moved else None)
            for at, measure in enumerate(MEASURES)
        ]
    return found


def _table(scored: Sequence[Scored]) -> Scores:
    """Shape (questions, measures)."""
    return np.array([[each.scores[measure] for measure in MEASURES] for each in scored], np.float64)
