"""What the corpus is made of: media types, languages and sizes over all documents, from the manifest's columns alone.

The figure is the largest rise of any value's share of documents. Folders are shown and never judged: a new one every
month is how people work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.stages.drift.findings import WARN, Finding, shown
from nightjar.stages.drift.resample import QUIET_TURNOVER, quiet_rises, threshold
from nightjar.stages.drift.sides import Turnover

_FLOOR: Final = 0.02
_SAYS: Final[Mapping[str, str]] = {
    "types": "documents of type {value} rose from {before} to {after}",
    "languages": "documents in language {value} rose from {before} to {after}",
    "sizes": "documents of {value} rose from {before} to {after}",
}
_UNITS: Final = ("B", "KiB", "MiB", "GiB")
_UNKNOWN: Final = "unknown"
_SHOWN: Final = 12

Shares = Mapping[str, tuple[float, float]]
"""A value's share of documents before and now."""


def turnover(base: pa.Table, target: pa.Table) -> Turnover:
    """Over all documents of two manifests: who left or changed, who came or changed."""
    ours, theirs = (_keys(table) for table in (base, target))
    return Turnover(
        removed=len(ours) - (pc.sum(pc.is_in(ours, theirs)).as_py() or 0),
        added=len(theirs) - (pc.sum(pc.is_in(theirs, ours)).as_py() or 0),
    )


def composition(base: pa.Table, target: pa.Table) -> list[Finding]:
    """Findings about two manifests' rows with content; every document counts once.

    Statistic: the largest rise of any value's share of documents; a type, a language, a size in steps of four.
    Threshold: floor 0.02; mean + 3.5 sd of the largest rise in each resample of the counts.
    Source: measured, docs/drift.md (new language).
    """
    changed = turnover(base, target).at_least(QUIET_TURNOVER, of=base.num_rows)
    return [_moved(name, base, target, changed) for name in _SAYS]


def shares(base: pa.Table, target: pa.Table) -> dict[str, Shares]:
    """For a report: the values that moved most, of types, languages, sizes and folders."""
    return {name: _compared(_values(name, base), _values(name, target)) for name in (*_SAYS, "folders")}


def _moved(name: str, base: pa.Table, target: pa.Table, changed: Turnover) -> Finding:
    before = _values(name, base)
    counts = np.array(list(before.values()), np.int64)
    compared = _all(before, _values(name, target))
    value, (was, now) = max(compared.items(), key=lambda item: item[1][1] - item[1][0])
    return Finding(
        *(name, now - was, threshold(quiet_rises(counts, changed).max(axis=1), floor=_FLOOR), WARN),
        _SAYS[name].format(value=value, before=shown(was), after=shown(now)),
        before=was,
        after=now,
        carriers=_of_value(name, value, target),
    )


def _values(name: str, rows: pa.Table) -> dict[str, int]:
    """How many documents have each value."""
    counted = pc.value_counts(_column(name, rows)).to_pylist()
    return {_told(name, each["values"]): each["counts"] for each in counted}


def _of_value(name: str, value: str, rows: pa.Table) -> frozenset[str]:
    """Ids of the documents that have it."""
    column = _column(name, rows)
    meant = [each for each in column.unique().to_pylist() if _told(name, each) == value]
    found = rows["document_id"].combine_chunks().filter(pc.is_in(column, pa.array(meant, column.type)))
    return frozenset(found.to_pylist())


def _told(name: str, value: str) -> str:
    return _size(int(value)) if name == "sizes" else value or _UNKNOWN


def _size(power: int) -> str:
    """From this step of four to the next, as people write sizes."""
    return f"{_bytes(4**power)} to {_bytes(4 ** (power + 1))}"


def _bytes(size: int) -> str:
    place = min((size.bit_length() - 1) // 10, len(_UNITS) - 1)
    return f"{size >> 10 * place:,} {_UNITS[place]}"


def _column(name: str, rows: pa.Table) -> pa.Array:
    if name == "sizes":
        # Steps of four: a corpus of letters that gets books moves by several of them.
        size = pc.max_element_wise(rows["size"].combine_chunks(), 1)
        power = pc.floor(pc.divide(pc.log2(size.cast(pa.float64())), 2)).cast(pa.int32())
        return power.cast(pa.string())
    if name == "folders":
        return pc.replace_substring_regex(rows["key"].combine_chunks(), pattern="[^/]*$", replacement="")
    column = {"types": "media_type", "languages": "language"}[name]
    return pc.fill_null(rows[column].combine_chunks(), _UNKNOWN)


def _all(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    was, now = sum(before.values()), sum(after.values())
    return {
        value: (before.get(value, 0) / max(was, 1), after.get(value, 0) / max(now, 1))
        for value in dict.fromkeys([*before, *after])
    }


def _compared(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    found = sorted(_all(before, after).items(), key=lambda item: -abs(item[1][1] - item[1][0]))
    return dict(found[:_SHOWN])


def _keys(rows: pa.Table) -> pa.Array:
    """Document and content, '' where it has none, in one text."""
    columns = (pc.fill_null(rows[name].combine_chunks(), "") for name in ("document_id", "content_key"))
    return pc.binary_join_element_wise(*columns, "|")
