"""What must hold of vectors whatever they mean: dimension, length, and that the model read every token."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.model import Vector
from nightjar.stages.drift.findings import FAIL, Finding
from nightjar.stages.drift.sides import Side

NORM_TOLERANCE: Final = 1e-3
"""Vectors are stored as float32 of unit length; cosine search takes that for granted."""


def off_unit(vectors: Vector) -> float:
    """The largest distance of a length from 1; a length that is no finite number is off by 1, which JSON can hold."""
    return float(_off_unit(vectors).max(initial=0.0))


def contract(night: Side, *, dimensions: int | None, max_tokens: int) -> list[Finding]:
    """Findings about the candidate's vectors alone.

    Statistic: whether the dimension differs, numbers that are not finite, the largest distance of a length from 1,
    tokens beyond what the model reads.
    Threshold: none may be above 0; lengths may be off by 0.001. Nothing is learnt.
    Source: what cosine search over stored float32 takes for granted; docs/drift.md.

    Args:
        night: the candidate's sample.
        dimensions: of the live vectors; None where another model is meant to be at work.
        max_tokens: what the model reads of one text.
    """
    if not len(night.vectors):
        return []
    now = night.vectors.shape[1]
    lengths = _off_unit(night.vectors)
    off = float(lengths.max())
    unread = float(np.maximum(night.tokens - max_tokens, 0).sum())
    missing = (~np.isfinite(night.vectors)).sum(axis=1)
    bad = float(missing.sum())
    return [
        Finding(
            *("dimensions", float(dimensions is not None and now != dimensions), 0.0, FAIL),
            f"vectors have {now} dimensions, those of the live version {dimensions}",
            unit="number",
        ),
        Finding(
            *("finite", bad, 0.0, FAIL),
            f"{bad:.0f} numbers in vectors are not finite",
            unit="number",
            carriers=night.holding(missing > 0),
        ),
        Finding(
            *("norm", off, NORM_TOLERANCE, FAIL),
            f"vectors are not of unit length (off by up to {off:.3g})",
            unit="number",
            carriers=night.holding(lengths > NORM_TOLERANCE),
        ),
        Finding(
            *("truncation", unread, 0.0, FAIL),
            f"the model never read {unread:.0f} tokens",
            unit="number",
            carriers=night.holding(night.tokens > max_tokens),
        ),
    ]


def _off_unit(vectors: Vector) -> NDArray[np.float64]:
    """Shape (vectors,)."""
    off = np.abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1)
    return np.where(np.isfinite(off), off, 1.0)
