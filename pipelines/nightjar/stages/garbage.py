"""What a sweep may delete: decides by age and need, touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

WEEK_US: Final = 7 * 24 * 3600 * 1_000_000
"""Nothing younger is ever deleted: a run that nobody sees any more may still be writing."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version as retention sees it; `pinned` where something stands on it (live, waiting, a collection)."""

    number: int
    was_live: bool
    pinned: bool


def beyond_retention(versions: Collection[Kept], *, keep: int) -> frozenset[int]:
    """Numbers that retention lets go: neither pinned, nor among the newest `keep`, nor the newest `keep` once live.

    Both are counted, so that a month of rejected nights does not push out what one can roll back to.
    """
    newest = sorted(versions, key=lambda each: -each.number)
    served = [each for each in newest if each.was_live]
    stay = {each.number for each in (*newest[:keep], *served[:keep])}
    return frozenset(each.number for each in versions if not each.pinned and each.number not in stay)


def older(listing: pa.Table, *, than_us: int) -> pa.Table:
    """Objects that were written last before that moment (microseconds since 1970, on the store's clock)."""
    return listing.filter(pc.less(listing["modified_us"], than_us))


def unneeded(listing: pa.Table, *, prefix: str, needed: pa.Array) -> pa.Table:
    """Objects below `prefix` that are not among the needed keys."""
    below = listing.filter(pc.starts_with(listing["key"], prefix))
    return below.filter(pc.invert(pc.is_in(below["key"], needed)))


def in_old_folders(listing: pa.Table, *, prefix: str, than_us: int) -> pa.Table:
    """Objects in folders right below `prefix` all of whose objects are older than that moment, and their `folder`."""
    below = listing.filter(pc.starts_with(listing["key"], prefix))
    names = pc.replace_substring_regex(pc.utf8_slice_codeunits(below["key"], len(prefix)), "/.*", "")
    below = below.append_column("folder", names)
    newest = below.group_by("folder").aggregate([("modified_us", "max")])
    old = newest.filter(pc.less(newest["modified_us_max"], than_us))["folder"]
    return below.filter(pc.is_in(below["folder"], old.combine_chunks()))


def record_last(keys: Sequence[str], *, record: str) -> list[str]:
    """A folder's keys with its record at the end, so that a crash leaves a version poorer and never nameless."""
    return sorted(keys, key=lambda key: key.endswith(f"/{record}"))
