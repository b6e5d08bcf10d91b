"""Which rows of a listing are documents of the corpus, decided on whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.patterns import glob_expression

SIDECAR_SUFFIX: Final = ".metadata.json"
_EVERYTHING: Final = "**"
_FINGERPRINT: Final = ("etag", "size", "modified_us")


def selected(
    keys: pa.Array | pa.ChunkedArray, *, include: Sequence[str], exclude: Sequence[str]
) -> pa.Array | pa.ChunkedArray:
    """True for each key, relative to the source prefix, that fits a pattern of `include` and none of `exclude`.

    Patterns mean what `nightjar.patterns` says. Booleans in the shape of `keys`, never null; fit for `Table.filter`.
    Ask it after `with_sidecars`: patterns such as `**/*.pdf` would lose the sidecars.
    """
    taken = _any_of(keys, patterns=include)
    return pc.and_not(taken, _any_of(keys, patterns=exclude))


def with_sidecars(listing: pa.Table, *, enabled: bool = True) -> pa.Table:
    """The listing with each document's sidecar beside it, and without the rows of those sidecars.

    Added columns: sidecar_etag (string), sidecar_size (int64), sidecar_modified_us (int64); null where
    `<key>.metadata.json` is not listed. A sidecar whose document is missing stays a row like any other, and so do all
    where the corpus does not use sidecars (`enabled`). Row order is kept.
    """
    keys = listing["key"]
    sidecars = listing.filter(pc.and_(pc.ends_with(keys, SIDECAR_SUFFIX), enabled))
    owners = pc.utf8_slice_codeunits(sidecars["key"], 0, -len(SIDECAR_SUFFIX))
    place = pc.index_in(keys, value_set=owners)
    for name in _FINGERPRINT:
        listing = listing.append_column(f"sidecar_{name}", sidecars[name].take(place))
    if not sidecars.num_rows:
        return listing
    attached = sidecars["key"].filter(pc.is_in(owners, value_set=keys))
    return listing.filter(pc.invert(pc.is_in(keys, value_set=attached)))


def _any_of(keys: pa.Array | pa.ChunkedArray, *, patterns: Sequence[str]) -> pa.Array | pa.ChunkedArray:
    if not patterns:
        return pc.is_null(keys)  # none is
    if _EVERYTHING in patterns:
        return pc.is_valid(keys)  # all are
    choices = "|".join(glob_expression(pattern) for pattern in patterns)
    return pc.match_substring_regex(keys, f"(?s)^(?:{choices})$")
