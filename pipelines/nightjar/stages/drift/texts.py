"""Damage that embeddings hardly see: wrong decoding, cut passages, boilerplate. Counted by document, on text alone.

Each figure is the mean over documents of a share within the document, so that one giant file is one document. What
moved is the rise against live; thresholds are learnt (`resample`), with a floor below which nobody would care.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.legibility import mojibake_share, replacement_share
from nightjar.stages.drift.findings import FAIL, Finding, shown
from nightjar.stages.drift.resample import Quiet, threshold
from nightjar.stages.drift.sides import Side

_MISREAD: Final = 0.002
_REPLACED: Final = 0.001
_SHORT_PERCENTILE: Final = 10
_WORDY: Final = re.compile(r"[^\W\d_]")
_FEWEST_LETTERS: Final = 12
_ENDING: Final = re.compile(r"[.!?:;…。！？；：؟।|」』”’\"')\]}»*`]\s*$")  # noqa: RUF001 - sentences end so elsewhere
_FLOORS: Final[Mapping[str, float]] = {
    "mojibake": 0.02,
    "replaced": 0.02,
    "short": 0.03,
    "unfinished": 0.03,
    "empty": 0.02,
}
_SAYS: Final[Mapping[str, str]] = {
    "mojibake": "documents with misread characters rose from {before} to {after}",
    "replaced": "documents with characters that could not be read rose from {before} to {after}",
    "short": "passages as short as the shortest tenth of the live ones rose from {before} to {after}",
    "unfinished": "passages that end in the middle of a sentence rose from {before} to {after}",
    "empty": "passages with hardly a letter rose from {before} to {after}",
}
COUNTED_BY_CHUNK: Final = frozenset({"short", "unfinished", "empty"})
"""Figures that another chunk size moves by itself."""


def counters(live: Side, night: Side, quiet: Quiet) -> list[Finding]:
    """How much of each kind of damage the candidate has beyond the live version."""
    shortest = float(np.percentile([len(text) for text in live.texts], _SHORT_PERCENTILE))
    ours, theirs = _counted(live, shortest), _counted(night, shortest)
    before, after = ours.mean(axis=0), theirs.mean(axis=0)
    noise = quiet.shares(ours, np.ones(len(ours))) - before
    return [
        Finding(
            *(name, float(after[place] - before[place]), threshold(noise[:, place], floor=floor), FAIL),
            _SAYS[name].format(before=shown(before[place]), after=shown(after[place])),
            before=float(before[place]),
            after=float(after[place]),
        )
        for place, (name, floor) in enumerate(_FLOORS.items())
    ]


def damage(side: Side, shortest: float) -> NDArray[np.float64]:
    """Shape (documents,): the sum of all shares, to tell which documents brought the damage."""
    total: NDArray[np.float64] = _counted(side, shortest).sum(axis=1)
    return total


def _counted(side: Side, shortest: float) -> NDArray[np.float64]:
    """Shape (documents, figures): in the order of `_FLOORS`."""
    whole = ["\n".join(texts) for texts in side.passages()]
    by_chunk = np.array(
        [
            (
                len(text) < shortest,
                not _ENDING.search(text),
                sum(1 for _ in zip(_WORDY.finditer(text), range(_FEWEST_LETTERS), strict=False)) < _FEWEST_LETTERS,
            )
            for text in side.texts
        ],
        np.float64,
    ).reshape(-1, 3)
    misread = [mojibake_share(text) > _MISREAD for text in whole]
    replaced = [replacement_share(text) > _REPLACED for text in whole]
    return np.column_stack([misread, replaced, side.summed(by_chunk) / side.chunks[:, None]])
