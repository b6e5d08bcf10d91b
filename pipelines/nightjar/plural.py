"""Numbers in sentences for people: `1 document`, `2 documents`."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """A count, grouped by thousands, with the words for one of it or for many; `many` is `one` with an s if not given.

    The words may include the verb: `counted(n, "document was", "documents were")`.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
