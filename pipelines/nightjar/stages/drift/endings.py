"""Where a text ends: passages and documents that break off in the middle of a sentence.

A file that was cut while it was copied has one such passage, its last; the others are as sound as before.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.stages.drift.embeddings import Novelty
from nightjar.stages.drift.findings import FAIL, Finding, shown
from nightjar.stages.drift.resample import QUIET_TURNOVER, quiet_nights, threshold
from nightjar.stages.drift.sides import Side, Turnover

_ENDING: Final = re.compile(r"[.!?:;…。！？；：؟।|」』”’\"')\]}»*`]\s*$")  # noqa: RUF001 - sentences end so elsewhere
_FLOOR: Final = 0.04
_KNOWN_FLOOR: Final = 0.03
_MOSTLY: Final = 0.5


def is_unfinished(text: str) -> bool:
    """Whether it lacks the punctuation that ends a sentence, a quotation, a row of a table or a piece of code."""
    return not _ENDING.search(text)


def breaks_off(side: Side) -> NDArray[np.float64]:
    """Shape (documents,), each 0 or 1: whether the last passage, which every sample holds, is unfinished."""
    return np.array([bool(texts) and is_unfinished(texts[-1]) for texts in side.passages()], np.float64)


def cut(live: Side, night: Side, novel: Novelty | None) -> Finding:
    """Documents that break off, counted twice; what is farther beyond its threshold is told.

    Statistic: rise of their share among all, where a new document weighs by its passages, at most 1, and nothing where
    most of them resemble nothing live: how its kind ends is not known. Rise of their share among those that the live
    sample has under the same id: no coming and going blurs it.
    Threshold: floor 0.04 and mean + 3.5 sd of resamples with as many documents as have left and come; 0.03.
    Source: measured, docs/drift.md (a file truncated at half).
    """
    found = (_among_all(live, night, novel), _among_known(live, night))
    return max(found, key=lambda each: each.value / each.threshold)


def _among_all(live: Side, night: Side, novel: Novelty | None) -> Finding:
    ours, theirs = breaks_off(live), breaks_off(night)
    weights = _weights(live, night, novel)
    before, after = float(ours.mean()), float(theirs @ weights / max(weights.sum(), 1.0))
    turnover = Turnover(
        removed=len(set(live.documents) - set(night.documents)),
        added=int(np.count_nonzero(weights[~_known(night, live)])),
    )
    quiet = quiet_nights(len(ours), turnover.at_least(QUIET_TURNOVER, of=len(ours)))
    noise = quiet.shares(ours[:, None], np.ones(len(ours))) - before
    return _finding(before, after, threshold(noise, floor=_FLOOR), night)


def _among_known(live: Side, night: Side) -> Finding:
    common = max(int(_known(night, live).sum()), 1)
    before, after = (
        float(breaks_off(side)[_known(side, other)].sum() / common) for side, other in ((live, night), (night, live))
    )
    return _finding(before, after, _KNOWN_FLOOR, night)


def _finding(before: float, after: float, limit: float, night: Side) -> Finding:
    return Finding(
        *("cut", after - before, limit, FAIL),
        f"documents that break off in the middle of a sentence rose from {shown(before)} to {shown(after)}",
        before=before,
        after=after,
        carriers=night.named(breaks_off(night) > 0),
    )


def _weights(live: Side, night: Side, novel: Novelty | None) -> NDArray[np.float64]:
    """Shape (documents of the night,): 1 for one that the live sample has under its id."""
    size: NDArray[np.float64] = np.minimum(night.chunks / live.chunks.mean(), 1.0)
    strange = night.summed(novel.novel.astype(float)[:, None])[:, 0] if novel else np.zeros(len(size))
    size[strange >= _MOSTLY * night.chunks] = 0.0
    size[_known(night, live)] = 1.0
    return size


def _known(side: Side, other: Side) -> NDArray[np.bool_]:
    """Shape (documents of the side,): the other one has them too, whatever they hold there."""
    return np.isin(side.documents, other.documents)
