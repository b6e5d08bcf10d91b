"""Damage that embeddings hardly see: wrong decoding, cut passages, boilerplate. Counted on text alone.

What moved is the rise against live; thresholds are learnt (`resample`), with a floor below which nobody would care.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.legibility import mojibake_share, replacement_share
from nightjar.stages.drift.endings import breaks_off, is_unfinished
from nightjar.stages.drift.findings import FAIL, WARN, Finding, shown
from nightjar.stages.drift.resample import Quiet, threshold
from nightjar.stages.drift.sides import Side

_MISREAD: Final = 0.002
_REPLACED: Final = 0.001
_SHORT_PERCENTILE: Final = 10
_LETTER: Final = re.compile(r"[^\W\d_]")
_FEWEST_LETTERS: Final = 12
_SAYS: Final[Mapping[str, str]] = {
    "mojibake": "documents with misread characters rose from {before} to {after}",
    "replaced": "documents with characters that could not be read rose from {before} to {after}",
    "unfinished": "passages that end in the middle of a sentence rose from {before} to {after}",
    "empty": "passages with hardly a letter rose from {before} to {after}",
    "short": "passages as short as the shortest tenth of the live ones rose from {before} to {after}",
}
_FLOORS: Final[Mapping[str, float]] = {
    "mojibake": 0.02,
    "replaced": 0.02,
    "unfinished": 0.04,
    "empty": 0.02,
    "short": 0.03,
}
_PASSAGES: Final = ("unfinished", "empty", "short")
# A new topic may well come in short passages; only together with unfinished ones do they look cut.
_WARNS: Final = frozenset({"short"})
COUNTED_BY_CHUNK: Final = frozenset({*_PASSAGES, "cut"})
"""Figures that are read off passages, so that other chunk rules may move them by themselves."""

Counts = NDArray[np.float64]


def counters(live: Side, night: Side, quiet: Quiet) -> list[Finding]:
    """How much of each kind of damage the candidate has beyond the live version.

    Statistic: rise of the share of documents (mojibake, replaced) or of passages (unfinished, empty, short).
    Threshold: floor 0.02 to 0.04 (`_FLOORS`); mean + 3.5 sd of the resamples.
    Source: measured, docs/drift.md.
    """
    shortest = shortest_tenth(live)
    return [*_documents(live, night, quiet), *_passages(live, night, quiet, shortest)]


def shortest_tenth(side: Side) -> float:
    """Characters of a passage below which the shortest tenth lies."""
    return float(np.percentile([len(text) for text in side.texts], _SHORT_PERCENTILE)) if side.texts else 0.0


def damage(side: Side, shortest: float) -> Counts:
    """Shape (documents,): how damaged each is, 0 to 5, to tell which documents brought it; `short` is no damage."""
    passages = side.summed(_of_passages(side, shortest))[:, :2] / np.maximum(side.chunks, 1)[:, None]
    total: Counts = _of_documents(side).sum(axis=1) + breaks_off(side) + passages.sum(axis=1)
    return total


def _documents(live: Side, night: Side, quiet: Quiet) -> list[Finding]:
    """Shares of documents: one that is damaged anywhere counts, whatever its size."""
    ours, theirs = _of_documents(live), _of_documents(night)
    before, after = ours.mean(axis=0), theirs.mean(axis=0)
    noise = quiet.shares(ours, np.ones(len(ours))) - before
    names = [name for name in _SAYS if name not in _PASSAGES]
    carriers = [night.named(hit > 0) for hit in theirs.T]
    figures = zip(names, before, after, after - before, noise.T, carriers, strict=True)
    return [_finding(name, *found) for name, *found in figures]


def _passages(live: Side, night: Side, quiet: Quiet, shortest: float) -> list[Finding]:
    """Shares of passages, counted twice, the lesser rise taken.

    As the mean over documents, so that one giant is one document; and over all passages, so that a crowd of tiny
    documents is no more than what people can find of it.
    """
    ours, theirs = live.summed(_of_passages(live, shortest)), night.summed(_of_passages(night, shortest))
    alone, alone_now = ours / live.chunks[:, None], theirs / night.chunks[:, None]
    before, after = ours.sum(axis=0) / live.chunks.sum(), theirs.sum(axis=0) / night.chunks.sum()
    rise = np.minimum(alone_now.mean(axis=0) - alone.mean(axis=0), after - before)
    noise = np.minimum(
        quiet.shares(alone, np.ones(len(alone))) - alone.mean(axis=0), quiet.shares(ours, live.chunks) - before
    )
    carriers = [night.named(hit > 0) for hit in theirs.T]
    figures = zip(_PASSAGES, before, after, rise, noise.T, carriers, strict=True)
    return [_finding(name, *found) for name, *found in figures]


def _finding(name: str, before: float, after: float, rise: float, noise: Counts, carriers: frozenset[str]) -> Finding:
    return Finding(
        *(name, float(rise), threshold(noise, floor=_FLOORS[name]), WARN if name in _WARNS else FAIL),
        _SAYS[name].format(before=shown(before), after=shown(after)),
        before=float(before),
        after=float(after),
        carriers=carriers,
    )


def _of_documents(side: Side) -> Counts:
    """Shape (documents, 2): misread, replaced; each 0 or 1."""
    whole = ["\n".join(texts) for texts in side.passages()]
    counted = [(mojibake_share(text) > _MISREAD, replacement_share(text) > _REPLACED) for text in whole]
    return np.array(counted, np.float64).reshape(-1, 2)


def _of_passages(side: Side, shortest: float) -> Counts:
    """Shape (chunks, 3): in the order of `_PASSAGES`; each 0 or 1."""
    counted = [(is_unfinished(text), _is_empty(text), len(text) < shortest) for text in side.texts]
    return np.array(counted, np.float64).reshape(-1, 3)


def _is_empty(text: str) -> bool:
    letters = sum(1 for _ in zip(range(_FEWEST_LETTERS), _LETTER.finditer(text), strict=False))
    return letters < _FEWEST_LETTERS
