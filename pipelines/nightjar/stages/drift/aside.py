"""Damaged documents that no sample holds: the quality rules set them aside, and people go on finding their former text.

One of them is the quality gate's work, and so is a flood. What lies between, a tenth of a corpus's documents in one
night, is a sign that something broke before they came here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import Code
from nightjar.stages.drift.composition import turnover
from nightjar.stages.drift.findings import FAIL, Finding, shown
from nightjar.stages.drift.resample import QUIET_TURNOVER, quiet_rises, threshold

_CODES: Final = (Code.MOJIBAKE, Code.BOILERPLATE)
"""Damage that is counted in the texts of indexed documents, too."""
_FLOOR: Final = 0.04
_PARDONED: Final = 2
"""Documents that are set aside on any night; a tenth of the smallest corpus that is judged strictly is three."""


def set_aside(base: pa.Table, target: pa.Table) -> Finding:
    """The finding about all rows of two manifests, live and candidate; every document counts once.

    Statistic: rise of the share of documents whose last attempt ended in quarantine as mojibake or boilerplate.
    Threshold: floor 0.04, and at least two documents; mean + 3.5 sd of the rise in each resample of the counts.
    Source: measured, docs/drift.md (mojibake in 10 % of documents).
    """
    hit, total = _count(base), max(target.num_rows, 1)
    before, after = hit / max(base.num_rows, 1), _count(target) / total
    changed = turnover(base, target).at_least(QUIET_TURNOVER, of=base.num_rows)
    noise = quiet_rises(np.array([hit, base.num_rows - hit]), changed)[:, 0]
    return Finding(
        *("set_aside", after - before, threshold(noise, floor=max(_FLOOR, _PARDONED / total)), FAIL),
        f"documents set aside as misread or boilerplate rose from {shown(before)} to {shown(after)}",
        before=before,
        after=after,
        carriers=frozenset(newly_set_aside(base, target)["document_id"].to_pylist()),
    )


def newly_set_aside(base: pa.Table, target: pa.Table) -> pa.Table:
    """The candidate's rows that are counted, and were not in the live version."""
    found = target.filter(_is_hit(target))
    known = base.filter(_is_hit(base))["document_id"].combine_chunks()
    return found.filter(pc.invert(pc.is_in(found["document_id"], known)))


def _count(rows: pa.Table) -> int:
    return pc.sum(_is_hit(rows)).as_py() or 0


def _is_hit(rows: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(rows["failure_code"], pa.array([str(code) for code in _CODES]))
