"""Which texts go through the model together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def by_length(lengths: Sequence[int], *, budget: int) -> Iterator[list[int]]:
    """Indices of texts in batches of at most `budget` tokens, padding counted, the longest first.

    Texts of like length share a batch, so that little is padded; a text above the budget is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size
