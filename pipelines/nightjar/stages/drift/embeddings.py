"""What the vectors say: where the middle lies, how the whole is spread, and what resembles nothing that was there.

Novelty sees a new topic at a twentieth of the chunks, where averages over all vectors cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.model import Vector
from nightjar.stages.drift.findings import WARN, Finding, shown
from nightjar.stages.drift.resample import Quiet, threshold
from nightjar.stages.drift.sides import Side

_PERCENTILE: Final = 1.0
_NOVEL_FLOOR: Final = 0.005
_CENTROID_FLOOR: Final = 1e-4
_MMD_FLOOR: Final = 1e-4
_FEATURES: Final = 512
_SEED: Final = 20_240_303
_PAIRS: Final = 512
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """Cosine of each chunk to the nearest live chunk of another document; novel are those below `boundary`.

    `boundary` is the 1st percentile of that cosine among the live chunks themselves.
    """

    boundary: float
    live: NDArray[np.float32]
    night: NDArray[np.float32]

    @property
    def novel(self) -> NDArray[np.bool_]:
        """Shape (chunks of the night,)."""
        return self.night < self.boundary


def novelty(live: Side, night: Side) -> Novelty:
    """How far every chunk of both sides is from the live version's other documents."""
    among = _nearest(live, live)
    return Novelty(float(np.percentile(among, _PERCENTILE)), among, _nearest(night, live))


def embeddings(live: Side, night: Side, quiet: Quiet, novel: Novelty) -> list[Finding]:
    """Findings about two samples of one vector space."""
    return [_novel(live, night, quiet, novel), *_centroid(live, night, quiet), *_spread(live, night, quiet)]


def _novel(live: Side, night: Side, quiet: Quiet, found: Novelty) -> Finding:
    """Passages that resemble nothing live.

    Statistic: rise of the share whose nearest live passage of another document is below the live 1st percentile.
    Threshold: floor 0.005; mean + 3.5 sd of the resamples.
    Source: measured, docs/drift.md (new topic).
    """
    ours = live.summed((found.live < found.boundary).astype(float)[:, None])
    before, after = float(ours.sum() / live.chunks.sum()), float(found.novel.mean())
    noise = quiet.shares(ours, live.chunks)[:, 0] - before
    return Finding(
        *("novelty", after - before, threshold(noise, floor=_NOVEL_FLOOR), WARN),
        f"passages that resemble nothing in the live version rose from {shown(before)} to {shown(after)}",
        before=before,
        after=after,
        carriers=night.holding(found.novel),
    )


def _centroid(live: Side, night: Side, quiet: Quiet) -> list[Finding]:
    """The middle of all vectors.

    Statistic: 1 - cosine between the mean vectors.
    Threshold: floor 0.0001; mean + 3.5 sd of the resamples.
    Source: measured, docs/drift.md.
    """
    sums = live.summed(live.vectors)
    middle = sums.sum(axis=0)
    noise = 1 - _cosines(quiet.weights @ sums, middle)
    value = float(1 - _cosines(night.vectors.sum(axis=0, dtype=np.float64)[None], middle)[0])
    return [
        Finding(
            *("centroid", value, threshold(noise, floor=_CENTROID_FLOOR), WARN),
            f"the mean vector moved (cosine {1 - value:.4f})",
            unit="number",
        )
    ]


def _spread(live: Side, night: Side, quiet: Quiet) -> list[Finding]:
    """How the vectors are spread.

    Statistic: squared maximum mean discrepancy with a Gaussian kernel of the median distance, through random Fourier
    features, so that it is a difference of means, and a resampled night is one more product of matrices.
    Threshold: floor 0.0001; mean + 3.5 sd of the resamples.
    Source: Gretton et al., JMLR 2012; Rahimi and Recht, NIPS 2007; docs/drift.md.
    """
    features = _Features(live.vectors)
    sums = live.summed(features.of(live.vectors))
    mean = sums.sum(axis=0) / live.chunks.sum()
    means = (quiet.weights @ sums) / (quiet.weights @ live.chunks)[:, None]
    noise = ((means - mean) ** 2).sum(axis=1)
    value = float(((features.of(night.vectors).mean(axis=0) - mean) ** 2).sum())
    told = f"the vectors are spread differently (MMD² {value:.2g})"
    return [Finding("mmd", value, threshold(noise, floor=_MMD_FLOOR), WARN, told, unit="number")]


class _Features:
    """Cosines of random projections whose products approximate the kernel."""

    def __init__(self, vectors: Vector) -> None:
        random = np.random.default_rng(_SEED)
        pairs = random.integers(0, len(vectors), (2, _PAIRS))
        distances = np.linalg.norm(vectors[pairs[0]] - vectors[pairs[1]], axis=1)
        width = float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0
        self._directions = random.standard_normal((vectors.shape[1], _FEATURES)) / width
        self._shifts = random.uniform(0, 2 * np.pi, _FEATURES)

    def of(self, vectors: Vector) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.sqrt(2 / _FEATURES) * np.cos(vectors @ self._directions + self._shifts)
        return found


def _cosines(rows: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(other)
    cosines: NDArray[np.float64] = (rows @ other) / np.maximum(norms, 1e-12)
    return cosines


def _nearest(side: Side, live: Side) -> NDArray[np.float32]:
    """Shape (chunks,): the highest cosine to a live chunk that belongs to another document."""
    places = {document: place for place, document in enumerate(live.documents)}
    same = np.array([places.get(document, -1) for document in side.documents], np.intp)[side.owner]
    nearest = np.empty(len(side.vectors), np.float32)
    for start in range(0, len(side.vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        cosines = side.vectors[block] @ live.vectors.T
        cosines[same[block, None] == live.owner[None, :]] = -1
        nearest[block] = cosines.max(axis=1)
    return nearest
