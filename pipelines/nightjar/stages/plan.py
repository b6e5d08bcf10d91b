"""Compare tonight's listing with the live manifest, set-based on Arrow: no Python object per unchanged document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import Code
from nightjar.recipe import Recipe, Stage

_FINGERPRINT: Final = ("etag", "size", "modified_us", "sidecar_etag", "sidecar_size", "sidecar_modified_us")
# Failures of the moment rather than of the bytes: tried again every night.
_PASSING: Final = (Code.UNREADABLE, Code.CHANGED_WHILE_READ)

ADDED: Final = "added"
CHANGED: Final = "changed"
RETRIED: Final = "retried"
REMADE: Final = "remade"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run was asked to look at beyond what changed by itself."""

    full_refresh: bool = False
    failed: bool = False
    recompute: Stage | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What tonight differs in.

    `work` has the listing's columns, the base's under `base_…`, and `why` and `stage` (where making starts: parse,
    chunk or embed); `gone` are manifest rows whose object is no longer listed; `unchanged` counts the rest.
    """

    work: pa.Table
    gone: pa.Table
    unchanged: int

    def count(self, why: str) -> int:
        """Documents to work on for this reason."""
        return int(pc.sum(pc.equal(self.work["why"], why)).as_py() or 0)

    def starting_at(self, stage: Stage) -> int:
        """Documents whose making starts at this stage."""
        return int(pc.sum(pc.equal(self.work["stage"], stage)).as_py() or 0)

    @property
    def empty(self) -> bool:
        """Nothing to make and nothing to remove."""
        return not (self.work.num_rows or self.gone.num_rows)

    @property
    def renamed(self) -> int:
        """Likely renames: additions with the etag and size of something gone; digests decide later."""
        added = self.work.filter(pc.equal(self.work["why"], ADDED))
        known = pc.not_equal(added["etag"], "")
        pairs = (
            added.filter(known)
            .select(["etag", "size"])
            .join(self.gone.select(["etag", "size"]), keys=["etag", "size"], join_type="left semi")
        )
        return int(min(pairs.num_rows, self.gone.num_rows))


def compare(listing: pa.Table, base: pa.Table, *, recipe: Recipe, scope: Scope) -> Changes:
    """Sort every document into work, gone or unchanged.

    Args:
        listing: uri, key and the six fingerprint columns, one row a selected document.
        base: rows of the live manifest (`artifacts.MANIFEST`), empty on a first night.
        recipe: what results would be made with tonight.
        scope: what was asked for beyond that.
    """
    base = base.combine_chunks()
    gone = base.filter(pc.invert(pc.is_in(base["uri"], listing["uri"].combine_chunks())))
    joined = _beside(listing, base)
    is_new = pc.is_null(joined["base_document_id"])
    is_same = _same_fingerprint(joined)
    is_failed = pc.fill_null(pc.is_valid(joined["base_failure_code"]), fill_value=False)
    again = pc.and_(is_failed, _worth_another_try(joined, recipe=recipe, scope=scope))
    stage = _stage_to_remake(joined, recipe=recipe, scope=scope)
    why = pc.if_else(
        is_new,
        ADDED,
        pc.if_else(
            pc.invert(is_same),
            CHANGED,
            pc.if_else(again, RETRIED, pc.if_else(pc.is_valid(stage), REMADE, None)),
        ),
    )
    stage = pc.if_else(pc.equal(why, REMADE), stage, "parse")
    work = joined.append_column("why", why).append_column("stage", stage).filter(pc.is_valid(why))
    return Changes(work=work.sort_by("key"), gone=gone, unchanged=listing.num_rows - work.num_rows)


def remake(base: pa.Table, *, uris: pa.Array) -> pa.Table:
    """Rows of work that make these standing documents again from their bytes."""
    rows = base.filter(pc.is_in(base["uri"], uris))
    count = rows.num_rows
    standing = _beside(rows.select(["uri", "key", *_FINGERPRINT]), rows)
    why, stage = pa.array([REMADE] * count, pa.string()), pa.array(["parse"] * count, pa.string())
    return standing.append_column("why", why).append_column("stage", stage)


def prefixed(base: pa.Table) -> pa.Table:
    """Manifest rows under names that can stand beside a listing's."""
    return base.rename_columns([f"base_{name}" for name in base.column_names])


def _beside(listing: pa.Table, base: pa.Table) -> pa.Table:
    """Each listed document with its manifest row, nulls where it has none."""
    place = pc.index_in(listing["uri"], value_set=base["uri"].combine_chunks()).combine_chunks()
    known = prefixed(base.take(place))
    for name in known.column_names:
        listing = listing.append_column(name, known[name])
    return listing


def _same_fingerprint(joined: pa.Table) -> pa.Array:
    """An empty etag equals nothing: such a store cannot tell an overwrite from the same object."""
    same = pc.not_equal(joined["etag"], "")
    for name in _FINGERPRINT:
        tonight, before = joined[name], joined[f"base_{name}"]
        both_absent = pc.and_(pc.is_null(tonight), pc.is_null(before))
        same = pc.and_(same, pc.or_(both_absent, pc.fill_null(pc.equal(tonight, before), fill_value=False)))
    return same


def _worth_another_try(joined: pa.Table, *, recipe: Recipe, scope: Scope) -> pa.Array:
    passing = pc.is_in(joined["base_failure_code"], pa.array([str(c) for c in _PASSING]))
    other_parser = pc.fill_null(pc.not_equal(joined["base_attempted_parse"], recipe.upto("parse")), fill_value=True)
    asked = scope.failed or scope.full_refresh or scope.recompute == "parse"
    return pc.or_(pa.scalar(asked), pc.or_(passing, other_parser))


def _stage_to_remake(joined: pa.Table, *, recipe: Recipe, scope: Scope) -> pa.Array:
    """The earliest stage whose recipe differs or that was asked for; null where what stands is right."""
    stage = pa.nulls(joined.num_rows, pa.string())
    asked = "parse" if scope.full_refresh else scope.recompute
    for name in ("embed", "chunk", "parse"):
        differs = pc.fill_null(pc.not_equal(joined[f"base_{name}_recipe"], recipe.upto(name)), fill_value=False)
        wanted = pc.or_(differs, pa.scalar(asked == name))
        stage = pc.if_else(wanted, name, stage)
    return pc.if_else(pc.is_valid(joined["base_content_key"]), stage, None)


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """When a night's deletions look like an accident: shares from 0 to 1, counts of documents."""

    share: float
    count: int
    most: int


def guard_deletions(changes: Changes, *, standing: int, listed: int, limits: GuardLimits) -> str | None:
    """Why tonight's deletions are withheld, or None; likely renames do not count as deletions."""
    gone = changes.gone.num_rows - changes.renamed
    if standing and listed == 0:
        return f"the listing is empty while {standing} documents stand: deletions are withheld"
    if gone > limits.most:
        return f"{gone} documents are gone, more than {limits.most}: deletions are withheld"
    if gone > limits.count and gone > limits.share * standing:
        return f"{gone} of {standing} documents are gone, more than {limits.share:.0%}: deletions are withheld"
    return None


def assign_shards(work: pa.Table, *, bytes_each: int, documents_each: int, most: int) -> pa.Table:
    """`work` with a column `shard` (from 0): contiguous by key, at most `most`, balanced by size and count."""
    if work.num_rows == 0:
        return work.append_column("shard", pa.array([], pa.int32()))
    weights = pc.add(pc.divide(pc.cast(work["size"], pa.float64()), float(bytes_each)), 1.0 / documents_each)
    total = pc.sum(weights).as_py()
    shards = max(1, min(most, round(total + 0.5)))
    middle = pc.subtract(pc.cumulative_sum(weights), pc.divide(weights, 2.0))
    number = pc.cast(pc.floor(pc.multiply(middle, shards / total)), pa.int32())
    return work.append_column("shard", pc.min_element_wise(number, pa.scalar(shards - 1, pa.int32())))
