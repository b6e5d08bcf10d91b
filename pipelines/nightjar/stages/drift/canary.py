"""Fixed texts, embedded every night: the one look at a model that no document can disturb.

Within one embed recipe the same text must get the same vector, up to what bf16 and another processor do to it
(lowest cosine measured between backends: 0.9999). Other weights, pooling or normalisation behind the same recipe move
some of sixty texts of many kinds far below 0.999.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from nightjar.model import Vector
from nightjar.stages.drift.contract import NORM_TOLERANCE, off_unit
from nightjar.stages.drift.findings import FAIL, Finding

DETECTORS: Final = ("canary", "canary_norm")
"""Those that judge the model, whatever the documents are."""
LOWEST_COSINE: Final = 0.999


@cache
def canary_texts() -> tuple[str, ...]:
    """The texts, one a line of `canary.txt`; a changed line is another text, and is compared with nothing."""
    lines = files(__package__).joinpath("canary.txt").read_text("utf-8").splitlines()
    return tuple(line.replace("\\n", "\n") for line in lines if line.strip())


def canary(before: Vector, now: Vector) -> list[Finding]:
    """Findings about the same texts, embedded for the live version and tonight; shapes (texts, dimensions).

    Statistic: 1 - the lowest cosine of a text's two vectors; the largest distance of a length from 1.
    Threshold: 0.001 each. Nothing is learnt: documents have no part in it.
    Source: measured, docs/drift.md (other runtimes 0.9999 and above, other models 0.966 and below).
    """
    if before.shape != now.shape:
        told = f"the model gives {now.shape[-1]} dimensions, for the live version it gave {before.shape[-1]}"
        return [Finding("canary", 1.0, 1 - LOWEST_COSINE, FAIL, told, unit="number")]
    lowest, off = _lowest_cosine(before, now), off_unit(now)
    remedy = "mend the installation, then run with --recompute embed"
    said = f"the model gives fixed texts other vectors than for the live version (lowest cosine {lowest:.4f}): {remedy}"
    return [
        Finding(
            *("canary", 1 - lowest, 1 - LOWEST_COSINE, FAIL),
            said,
            before=1.0,
            after=lowest,
            unit="number",
        ),
        Finding(
            *("canary_norm", off, NORM_TOLERANCE, FAIL),
            f"the model's vectors are not of unit length (off by up to {off:.3g})",
            unit="number",
        ),
    ]


def _lowest_cosine(before: Vector, now: Vector) -> float:
    """Of the vectors of a text, over all texts; -1 where a number is not finite."""
    if not (np.isfinite(before).all() and np.isfinite(now).all()):
        return -1.0
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(now, axis=1)
    cosines = np.einsum("ij,ij->i", before, now, dtype=np.float64) / np.maximum(lengths, 1e-12)
    return float(cosines.min(initial=1.0))
