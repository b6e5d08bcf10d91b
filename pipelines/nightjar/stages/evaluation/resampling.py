"""Bootstrap over questions: how far a mean would move with another draw of questions from the same people.

Percentile intervals of 95 % from 2,000 resamples (Efron 1979; for retrieval: Sakai, "Evaluating evaluation metrics
based on the bootstrap", SIGIR 2006). Candidate and live are resampled together, so that their difference is paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_RESAMPLES: Final = 2_000
_BLOCK: Final = 100
_SEED: Final = 20_261
_TAILS: Final = (2.5, 97.5)

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its interval."""

    mean: float
    low: float
    high: float


def estimates(scores: Scores) -> list[Estimate]:
    """One for each column of `scores`, shape (questions, columns); the same draws for all of them, the same each time.

    Raises:
        ValueError: there is no question.
    """
    count = len(scores)
    if count == 0:
        raise ValueError("no question has a score")
    generator = np.random.default_rng(_SEED)
    shares = np.full(count, 1 / count)
    means = np.concatenate(
        [generator.multinomial(count, shares, size=_BLOCK) @ scores / count for _ in range(_RESAMPLES // _BLOCK)]
    )
    low, high = np.percentile(means, _TAILS, axis=0)
    return [Estimate(*map(float, each)) for each in zip(scores.mean(axis=0), low, high, strict=True)]
