"""Compare tonight's listing with the live manifest, set-based on Arrow: no Python object per unchanged document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import Code
from nightjar.recipe import Recipe, Stage

_OBJECT: Final = ("etag", "size", "modified_us")
_SIDECAR: Final = ("sidecar_etag", "sidecar_size", "sidecar_modified_us")
# What of a manifest row decides; of documents that stand as they are nothing else is looked at.
_DECIDING: Final = (
    *("document_id", "uri", *_OBJECT, *_SIDECAR, "failure_code", "failure_stage", "attempted_parse", "attempted_check"),
    *("content_key", "parse_recipe", "chunk_recipe", "parse_settings", "chunk_settings", "space"),
)
# Failures of the moment rather than of the bytes: tried again every night.
_PASSING: Final = (Code.UNREADABLE, Code.CHANGED_WHILE_READ)

ADDED: Final = "added"
CHANGED: Final = "changed"
RETRIED: Final = "retried"
REMADE: Final = "remade"
DESCRIBE: Final = "describe"
"""Where making starts when a sidecar alone differs: nothing is fetched, parsed or embedded but the sidecar's fields."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run was asked to look at beyond what changed by itself; `failed` tries failed documents again."""

    full_refresh: bool = False
    failed: bool = False
    recompute: Stage | None = None


@dataclass(frozen=True, slots=True)
class Recipes:
    """What results would be made with tonight; `check` stands for all that could change a quality rule's verdict."""

    recipe: Recipe
    check: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What tonight differs in.

    `work` has the listing's columns, the base's under `base_…`, and `why` and `stage` (where making starts: parse,
    chunk, embed or describe); `gone` are manifest rows whose object is no longer listed; `unchanged` counts the rest.
    `stale`, with the columns of `work`, are those of the rest that an older parser or chunker made.
    """

    work: pa.Table
    gone: pa.Table
    unchanged: int
    stale: pa.Table

    def with_stale(self) -> Changes:
        """The same, with everything stale to be made again."""
        work = pa.concat_tables([self.work, self.stale]).sort_by("key")
        return replace(self, work=work, unchanged=self.unchanged - self.stale.num_rows, stale=self.stale.slice(0, 0))

    def with_again(self, rows: pa.Table) -> Changes:
        """The same, with standing documents that `remake` turned into work."""
        again = rows.select(self.work.column_names).cast(self.work.schema)
        work = pa.concat_tables([self.work, again]).sort_by("key")
        stale = self.stale.filter(pc.invert(pc.is_in(self.stale["uri"], again["uri"].combine_chunks())))
        return replace(self, work=work, unchanged=max(0, self.unchanged - again.num_rows), stale=stale)

    def count(self, why: str) -> int:
        """Documents to work on for this reason."""
        return int(pc.sum(pc.equal(self.work["why"], why)).as_py() or 0)

    def starting_at(self, stage: str) -> int:
        """Documents whose making starts at this stage."""
        return int(pc.sum(pc.equal(self.work["stage"], stage)).as_py() or 0)

    @property
    def empty(self) -> bool:
        """Nothing to make and nothing to remove."""
        return not (self.work.num_rows or self.gone.num_rows)


def compare(listing: pa.Table, base: pa.Table, *, recipes: Recipes, scope: Scope) -> Changes:
    """Sort every document into work, gone, stale or unchanged.

    Args:
        listing: uri, key and the six fingerprint columns, one row a selected document.
        base: rows of the live manifest (`artifacts.MANIFEST`), empty on a first night.
        recipes: what results would be made with tonight.
        scope: what was asked for beyond that.
    """
    base = base.combine_chunks()
    gone = base.filter(pc.invert(pc.is_in(base["uri"], listing["uri"].combine_chunks())))
    joined = _beside(listing, base.select(_DECIDING))
    is_new = pc.is_null(joined["base_document_id"])
    is_same_object = pc.and_(pc.not_equal(joined["etag"], ""), _agree(joined, _OBJECT))
    is_same = pc.and_(is_same_object, _agree(joined, _SIDECAR))
    is_failed = pc.is_valid(joined["base_failure_code"])
    again = pc.and_(is_failed, _worth_another_try(joined, recipes=recipes, scope=scope))
    tried = pc.and_not(is_failed, again)
    meant, stale = _stages_to_remake(joined, tried, recipe=recipes.recipe, scope=scope)
    why = pc.if_else(
        is_new,
        ADDED,
        pc.if_else(
            pc.invert(is_same),
            CHANGED,
            pc.if_else(again, RETRIED, pc.if_else(pc.is_valid(meant), REMADE, None)),
        ),
    )
    described = pc.and_(is_same_object, pc.and_(pc.is_valid(joined["base_content_key"]), pc.invert(is_failed)))
    described = pc.and_(described, pc.and_(pc.equal(why, CHANGED), pc.is_null(meant)))
    stage = pc.if_else(pc.equal(why, REMADE), meant, pc.if_else(described, DESCRIBE, "parse"))
    is_work = pc.is_valid(why)
    work = _beside(listing.filter(is_work), base)
    work = work.append_column("why", why.filter(is_work)).append_column("stage", stage.filter(is_work))
    is_stale = pc.and_(pc.is_null(why), pc.and_(pc.is_valid(stale), pc.invert(is_failed)))
    standing = _beside(listing.filter(is_stale), base)
    remade = pa.array([REMADE] * standing.num_rows, pa.string())
    standing = standing.append_column("why", remade).append_column("stage", stale.filter(is_stale))
    return Changes(work.sort_by("key"), gone, listing.num_rows - work.num_rows, standing.cast(work.schema))


def remake(base: pa.Table, *, uris: pa.Array, start: Stage) -> pa.Table:
    """Rows of work that make these standing documents again from this stage on; only `parse` needs their bytes."""
    rows = base.filter(pc.is_in(base["uri"], uris))
    count = rows.num_rows
    standing = _joined(rows.select(["uri", "key", *_OBJECT, *_SIDECAR]), rows)
    why, stage = pa.array([REMADE] * count, pa.string()), pa.array([start] * count, pa.string())
    return standing.append_column("why", why).append_column("stage", stage)


def prefixed(base: pa.Table) -> pa.Table:
    """Manifest rows under names that can stand beside a listing's."""
    return base.rename_columns([f"base_{name}" for name in base.column_names])


def _beside(listing: pa.Table, base: pa.Table) -> pa.Table:
    """Each listed document with its manifest row, nulls where it has none."""
    place = pc.index_in(listing["uri"], value_set=base["uri"].combine_chunks()).combine_chunks()
    return _joined(listing, base.take(place))


def _joined(listing: pa.Table, rows: pa.Table) -> pa.Table:
    """Both, row by row; nothing is copied."""
    known = prefixed(rows)
    for name in known.column_names:
        listing = listing.append_column(name, known[name])
    return listing


def _agree(joined: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray:
    """Tonight's columns equal the base's; two nulls are equal."""
    same = pc.is_valid(joined["uri"])
    for name in names:
        tonight, before = joined[name], joined[f"base_{name}"]
        both_absent = pc.and_(pc.is_null(tonight), pc.is_null(before))
        same = pc.and_(same, pc.or_(both_absent, pc.fill_null(pc.equal(tonight, before), fill_value=False)))
    return same


def _worth_another_try(joined: pa.Table, *, recipes: Recipes, scope: Scope) -> pa.ChunkedArray:
    """A failed document's bytes are the same: has what read or judged them changed, or was it asked for?"""
    passing = pc.is_in(joined["base_failure_code"], pa.array([str(c) for c in _PASSING]))
    other_parser = _differs(joined["base_attempted_parse"], recipes.recipe.upto("parse"))
    by_rule = pc.equal(joined["base_failure_stage"], "check")
    other_rules = pc.and_(
        pc.fill_null(by_rule, fill_value=False), _differs(joined["base_attempted_check"], recipes.check)
    )
    asked = scope.failed or scope.full_refresh or scope.recompute == "parse"
    return pc.or_(pc.or_(pa.scalar(asked), passing), pc.or_(other_parser, other_rules))


def _differs(column: pa.ChunkedArray, value: str) -> pa.ChunkedArray:
    """Nothing known of it counts as a difference."""
    return pc.fill_null(pc.not_equal(column, value), fill_value=True)


def _stages_to_remake(
    joined: pa.Table, tried: pa.ChunkedArray, *, recipe: Recipe, scope: Scope
) -> tuple[pa.Array, pa.Array]:
    """The earliest stage to make again because the corpus file or a person says so; and because of a library.

    Null where what stands is right. A library counts where the stage's settings are what they were; who cannot tell
    (manifests of earlier releases) takes it for a setting. Vectors of two models cannot stand side by side, so another
    embedding is always meant, whatever brought it. Documents that were `tried` with tonight's recipe and failed keep
    what they had: else they would fail anew every night.
    """
    asked = "parse" if scope.full_refresh else scope.recompute
    has_content = pc.is_valid(joined["base_content_key"])

    refused = pc.and_(tried, pc.fill_null(pc.equal(joined["base_failure_stage"], "check"), fill_value=False))
    spared = {"embed": pa.scalar(value=False), "chunk": refused, "parse": tried}

    def where(mask: pa.ChunkedArray, stage: Stage) -> pa.ChunkedArray:
        wanted = pc.and_not(pc.fill_null(mask, fill_value=False), spared[stage])
        return pc.if_else(pc.and_(has_content, wanted), stage, None)

    others = {
        "chunk": pc.not_equal(joined["base_chunk_recipe"], _chunk_recipes(joined["base_parse_recipe"], recipe)),
        "parse": pc.not_equal(joined["base_parse_recipe"], recipe.upto("parse")),
    }
    meant = where(pc.or_(pc.not_equal(joined["base_space"], recipe.space), pa.scalar(asked == "embed")), "embed")
    stale = pa.nulls(joined.num_rows, pa.string())
    for stage in ("chunk", "parse"):  # the earlier one wins
        by_hand = _differs(joined[f"base_{stage}_settings"], recipe.settings(stage))
        wanted = pc.or_(pc.and_(others[stage], by_hand), pa.scalar(asked == stage))
        meant = pc.coalesce(where(wanted, stage), meant)
        stale = pc.coalesce(where(pc.and_not(others[stage], by_hand), stage), stale)
    return meant, stale


def _chunk_recipes(parses: pa.ChunkedArray, recipe: Recipe) -> pa.Array:
    """What tonight's chunker would make of what each document's own parser read."""
    known = pc.unique(parses).drop_null()
    tonight = pa.array([recipe.upto("chunk", parse=parse) for parse in known.to_pylist()], pa.string())
    return tonight.take(pc.index_in(parses, known))


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
