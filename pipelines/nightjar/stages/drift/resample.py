"""What a night without a change of kind looks like: the live documents themselves, drawn anew.

A night's threshold is learnt, not typed: as many documents as tonight came and went are taken out of the live sample
at random, and as many drawn from it put in. Whatever a detector says of such nights is noise; what exceeds the mean by
some standard deviations is not. Tonight's real turnover matters: a night that replaced every document varies more than
one that replaced a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.stages.drift.sides import Turnover

NIGHTS: Final = 64
"""Resamples behind each threshold; 20 would do for a mean, the spread wants more."""
DEVIATIONS: Final = 3.5
QUIET_TURNOVER: Final = 0.05
"""A threshold is never learnt for less: a night that touches one document must not be judged by that one."""
# Fixed: the same night gets the same verdict.
_SEED: Final = 20_240_301
_COUNTED_SEED: Final = 20_240_302


@dataclass(frozen=True, slots=True, eq=False)
class Quiet:
    """Resampled nights as weights of the live documents, shape (nights, documents); live itself weighs 1 each."""

    weights: NDArray[np.float64]

    def shares(self, counted: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (nights, figures): shares of the resampled nights; `counted` is (documents, figures)."""
        shares: NDArray[np.float64] = (self.weights @ counted) / (self.weights @ of)[:, None]
        return shares


def quiet_nights(documents: int, turnover: Turnover, *, nights: int = NIGHTS) -> Quiet:
    """Nights of `documents` live documents with that turnover, the same every time."""
    random = np.random.default_rng(_SEED)
    weights = np.ones((nights, documents))
    for night in weights:
        night[random.choice(documents, min(turnover.removed, documents - 1), replace=False)] -= 1
        np.add.at(night, random.integers(0, documents, turnover.added), 1)
    return Quiet(weights)


def quiet_rises(counts: NDArray[np.int64], turnover: Turnover) -> NDArray[np.float64]:
    """Shape (nights, values): the rise of each value's share when documents leave and come without regard to it.

    `counts` is how many live documents have each value.
    """
    random, total = np.random.default_rng(_COUNTED_SEED), int(counts.sum())
    removed = random.multivariate_hypergeometric(counts, min(turnover.removed, total - 1), size=NIGHTS)
    now = counts - removed + random.multinomial(turnover.added, counts / total, size=NIGHTS)
    rises: NDArray[np.float64] = now / now.sum(axis=1, keepdims=True) - counts / total
    return rises


def threshold(quiet: NDArray[np.float64], *, floor: float) -> float:
    """Mean and `DEVIATIONS` standard deviations of quiet nights; at least `floor`, below which nobody cares."""
    return max(floor, float(quiet.mean() + DEVIATIONS * quiet.std(ddof=1)))
