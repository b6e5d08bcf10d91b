"""Which documents stand for a version: the same ones night after night.

So unchanged documents are compared with themselves, and only what changed shows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CHUNKS: Final = 2_000
"""In a sample at most, but for the last document's: thresholds hardly move beyond, and 3 MB are kept a version."""
CHUNKS_A_DOCUMENT: Final = 8
"""So that 250 documents and more are looked at, however long they are: documents are the unit."""


def pick(rows: pa.Table) -> pa.Table:
    """The rows (with content) whose documents are sampled: by id, which is a hash of the uri and favours nobody."""
    ordered = rows.sort_by("document_id").combine_chunks()
    taken = pc.cumulative_sum(pc.min_element_wise(ordered["chunks"].cast(pa.int64()), CHUNKS_A_DOCUMENT))
    before = pc.subtract(taken, pc.min_element_wise(ordered["chunks"].cast(pa.int64()), CHUNKS_A_DOCUMENT))
    return ordered.filter(pc.less(before, CHUNKS))


def spread(chunks: int) -> list[int]:
    """Ordinal places of a document's chunks in the sample: all, or evenly spread over the whole of a long one."""
    if chunks <= CHUNKS_A_DOCUMENT:
        return list(range(chunks))
    return [int(place) for place in np.linspace(0, chunks - 1, CHUNKS_A_DOCUMENT).round()]
