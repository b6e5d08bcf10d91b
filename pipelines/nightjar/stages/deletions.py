"""Which documents that are no longer listed may go: renames first, then whether the rest looks like an accident."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.plural import counted


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """When a night's deletions look like an accident: shares from 0 to 1, counts of documents."""

    share: float
    count: int
    most: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What a night would take away, in documents.

    `gone` tonight, renames and approved deletions not counted; `lately` deleted within seven days without approval;
    `standing` in the live version; `listed` in the whole bucket; `outside` of today's source, among the gone.
    """

    gone: int
    lately: int
    standing: int
    listed: int
    outside: int


def guard_deletions(loss: Loss, *, limits: GuardLimits) -> str | None:
    """Why tonight's deletions are withheld, or None. A drip over a week counts like one night's flood."""
    if not loss.gone:
        return None
    if not loss.listed:
        return f"the listing is empty while {counted(loss.standing, 'document stands', 'documents stand')}"
    if loss.outside:
        return f"{counted(loss.outside, 'document lies', 'documents lie')} outside source.uri, which has changed"
    if loss.gone > limits.most:
        return f"{loss.gone} documents are gone, more than {limits.most}"
    gone, stood = loss.gone + loss.lately, loss.standing + loss.lately
    if gone > limits.count and gone > limits.share * stood:
        when = " within seven days" if loss.lately else ""
        return f"{gone} of {stood} documents are gone{when}, more than {limits.share:.0%}"
    return None


def renamed_rows(gone: pa.Table, added: pa.Table) -> pa.Array:
    """True for rows of `gone` that an addition very likely continues.

    The digests decide later what it was; until then nothing else depends on it.
    """
    return continuations(gone, added).is_valid()


def continuations(gone: pa.Table, added: pa.Table) -> pa.Array:
    """For each row of `gone` the place in `added` of what has the same etag and size, one for one; null without one.

    An empty etag is no sign of anything, nor is an object without bytes.
    """
    return pc.index_in(_numbered(gone), value_set=_numbered(added), skip_nulls=True)


def _numbered(table: pa.Table) -> pa.Array:
    """Etag, size and how many rows before have both, in one word; null where they say nothing."""
    words = pc.binary_join_element_wise(table["etag"], pc.cast(table["size"], pa.string()), "|").combine_chunks()
    ordinals = pa.array(_ordinals(np.asarray(pc.fill_null(words.dictionary_encode().indices, -1))))
    numbered = pc.binary_join_element_wise(words, pc.cast(ordinals, pa.string()), "|")
    telling = pc.and_(pc.not_equal(table["etag"], ""), pc.greater(table["size"], 0)).combine_chunks()
    return pc.if_else(telling, numbered, None)


def _ordinals(values: np.ndarray) -> np.ndarray:
    """How many equal values stand before each."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ordinals = np.empty_like(order)
    ordinals[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered)
    return ordinals
