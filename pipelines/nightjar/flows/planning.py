"""List, compare, guard: what tonight would do and cost. `draft` writes nothing; `plan` keeps what the steps need."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import collection_key, run_key, vectors_prefix
from nightjar.corpus import Corpus
from nightjar.errors import Misconfigured
from nightjar.flows.manifests import indexed
from nightjar.flows.parallel import in_order
from nightjar.flows.records import record
from nightjar.flows.runs import Options, Run, read_json, read_table, write_json, write_table
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, read_version
from nightjar.model import CollectionName
from nightjar.recipe import Recipe
from nightjar.stages import plan as stage
from nightjar.stages.select import selected, with_sidecars

log = logging.getLogger(__name__)
_SHARD_BYTES: Final = 32 * 1024 * 1024
_SHARD_DOCUMENTS: Final = 2_000
_MOST_SHARDS: Final = 50
# Rates for a corpus that has no history yet; afterwards its own last version is the measure.
_BYTES_A_TOKEN: Final = 5.0
_SECONDS_A_TOKEN: Final = 0.00006


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One shard's number (from 0) and its name in the UI."""

    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, as printed by `nightjar plan`; documents are counted by what happened to them."""

    added: int
    changed: int
    deleted: int
    renamed: int
    unchanged: int
    to_parse: int
    to_chunk: int
    to_embed: int
    estimated_tokens: int
    estimated_seconds: int
    guard: str | None
    rebuild: str | None
    shards: tuple[ShardPlan, ...]

    @property
    def empty(self) -> bool:
        """Nothing differs and the index agrees: the night ends green and makes no version."""
        return not (self.shards or self.deleted or self.rebuild)

    def as_json(self, corpus: str) -> dict[str, Any]:
        """The promised shape of `plan --json`."""
        names = ("added", "changed", "deleted", "renamed", "unchanged")
        rest = {k: v for k, v in asdict(self).items() if k not in (*names, "shards")}
        return {"format": 1, "corpus": corpus, "documents": {n: getattr(self, n) for n in names}, **rest}


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with the rows behind it; `gone` are the confirmed deletions."""

    plan: Plan
    work: pa.Table
    gone: pa.Table


def plan(services: Services, run: Run) -> Plan:
    """Plan the run and keep the plan; a retry finds the one it made."""
    kept = read_json(services, run, "plan.json")
    if kept is not None:
        return Plan(**{**kept, "shards": tuple(ShardPlan(**s) for s in kept["shards"])})
    draft_ = draft(services, live=run.live, base=run.base(services), recipe=run.recipe, options=run.options)
    write_table(services, run_key(run.run_id, "work.parquet"), draft_.work)
    write_table(services, run_key(run.run_id, "gone.parquet"), draft_.gone)
    write_json(services, run, "plan.json", asdict(draft_.plan))
    made = draft_.plan
    log.info(
        "planned run=%s added=%d changed=%d deleted=%d renamed=%d unchanged=%d shards=%d rebuild=%s guard=%s",
        *(run.run_id, made.added, made.changed, made.deleted, made.renamed, made.unchanged),
        *(len(made.shards), made.rebuild, made.guard),
    )
    return made


def draft(services: Services, *, live: Live | None, base: pa.Table, recipe: Recipe, options: Options) -> Draft:
    """Compare the bucket with `base`; reads no document bytes and writes nothing."""
    listing, listed = list_documents(services, base=base, options=options)
    considered = _within(base, services.corpus, options)
    scope = stage.Scope(full_refresh=options.full_refresh, failed=options.failed, recompute=options.recompute)
    changes = stage.compare(listing, considered, recipe=recipe, scope=scope)
    rebuild = disagreement(services, live)
    if live is not None and (rebuild or not changes.empty):
        changes = _remake_lost(services, changes, considered)
    guard = None if options.approve_deletions else _guard(services.corpus, changes, considered, listed)
    gone = changes.gone.slice(0, 0) if guard else confirmed_gone(services, changes.gone)
    work = stage.assign_shards(
        changes.work, bytes_each=_SHARD_BYTES, documents_each=_SHARD_DOCUMENTS, most=_MOST_SHARDS
    )
    renamed = min(changes.renamed, gone.num_rows)
    tokens, seconds = _estimate(services, live, changes)
    made = Plan(
        added=changes.count(stage.ADDED) - renamed,
        changed=changes.count(stage.CHANGED),
        deleted=gone.num_rows - renamed,
        renamed=renamed,
        unchanged=changes.unchanged + changes.count(stage.REMADE) + changes.count(stage.RETRIED),
        to_parse=changes.starting_at("parse") - renamed,
        to_chunk=changes.starting_at("parse") - renamed + changes.starting_at("chunk"),
        to_embed=work.num_rows - renamed,
        estimated_tokens=tokens,
        estimated_seconds=seconds,
        guard=guard,
        rebuild=rebuild,
        shards=_shards(work),
    )
    return Draft(made, work, gone)


def list_documents(services: Services, *, base: pa.Table, options: Options) -> tuple[pa.Table, int]:
    """The selected documents with their sidecars, and how many the listing held before options narrowed it."""
    corpus = services.corpus
    pages = []
    for page in services.source.listing():
        pages.append(page)
        services.progress("list", sum(p.num_rows for p in pages), 0)
    listing = with_sidecars(pa.concat_tables(pages).combine_chunks(), enabled=corpus.metadata.sidecar)
    # A key that ends in "/" with no bytes is how consoles draw a folder; it is nobody's document.
    marker = pc.and_(pc.ends_with(listing["key"], "/"), pc.equal(listing["size"], 0))
    include, exclude = corpus.source.include, corpus.source.exclude
    relative = pc.utf8_slice_codeunits(listing["key"], len(corpus.prefix))
    taken = selected(relative, include=include, exclude=exclude)
    listing = listing.filter(pc.and_(taken, pc.invert(marker)))
    uris = pc.binary_join_element_wise(f"s3://{corpus.bucket}/", listing["key"], "")
    listing = listing.append_column("uri", uris)
    return _within(listing, corpus, options, base=base), listing.num_rows


def _within(table: pa.Table, corpus: Corpus, options: Options, *, base: pa.Table | None = None) -> pa.Table:
    """Only what a partial run may touch; it deletes nothing outside that."""
    if options.prefix:
        table = table.filter(pc.starts_with(table["key"], corpus.prefix + options.prefix))
    if options.where:
        keys = _keys_where(table if base is None else base, *options.where)
        table = table.filter(pc.is_in(table["key"], keys))
    return table


def _keys_where(manifest: pa.Table, name: str, value: str) -> pa.Array:
    rows = manifest.select(["key", "fields"]).to_pylist()
    return pa.array([r["key"] for r in rows if str(json.loads(r["fields"] or "{}").get(name)) == value], pa.string())


def _guard(corpus: Corpus, changes: stage.Changes, base: pa.Table, listed: int) -> str | None:
    rules = corpus.deletions
    limits = stage.GuardLimits(share=rules.guard_share, count=rules.guard_count, most=rules.guard_max)
    return stage.guard_deletions(changes, standing=base.num_rows, listed=listed, limits=limits)


def confirmed_gone(services: Services, gone: pa.Table) -> pa.Table:
    """Those whose HEAD also says that they are gone: a listing alone deletes nothing."""
    ours = f"s3://{services.corpus.bucket}/"

    def stands(row: dict[str, str]) -> bool:
        return row["uri"].startswith(ours) and services.source.exists(row["key"])

    still = list(in_order(stands, gone.select(["uri", "key"]).to_pylist()))
    return gone.filter(pc.invert(pa.array(still, pa.bool_())))


def disagreement(services: Services, live: Live | None) -> str | None:
    """Why the live collection cannot be trusted to be its version's checkout, or None."""
    if live is None:
        return None
    version = read_version(services.state, live.version)
    checked_out = record(services.state, collection_key(live.collection)).read()
    if live.collection not in services.index.collections():
        return f"collection {live.collection} is gone"
    if checked_out is None or checked_out.value.get("checkout") != version.checkout:
        return f"the record of collection {live.collection} does not name version {live.version}"
    count = services.index.count(CollectionName(live.collection))
    if count != version.counts["chunks"]:
        return (
            f"collection {live.collection} holds {count} objects, version {live.version} has {version.counts['chunks']}"
        )
    return None


def _remake_lost(services: Services, changes: stage.Changes, base: pa.Table) -> stage.Changes:
    """Documents whose stored vectors are gone are made again, so that everything a manifest names exists."""
    rows = indexed(base)
    stored: set[str] = set()
    for recipe in pc.unique(rows["embed_recipe"]).to_pylist():
        prefix = vectors_prefix(recipe)
        stored.update(key.rpartition("/")[2].removesuffix(".parquet") for key in services.state.keys(prefix))
    present = pc.is_in(rows["content_key"], pa.array(sorted(stored), pa.string()))
    taken = pa.chunked_array([*changes.work["uri"].chunks, *changes.gone["uri"].chunks], pa.string())
    lost = rows.filter(pc.invert(pc.or_(present, pc.is_in(rows["uri"], taken.combine_chunks()))))
    if lost.num_rows == 0:
        return changes
    log.warning("stored vectors of %d documents are gone: they are made again", lost.num_rows)
    again = stage.remake(base, uris=lost["uri"].combine_chunks())
    work = pa.concat_tables([changes.work, again.select(changes.work.column_names).cast(changes.work.schema)])
    return replace(changes, work=work.sort_by("key"), unchanged=changes.unchanged - lost.num_rows)


def _estimate(services: Services, live: Live | None, changes: stage.Changes) -> tuple[int, int]:
    """Tokens and seconds from the last version's own rates, from typical ones on a first night."""
    size = pc.sum(changes.work["size"]).as_py() or 0
    cost = read_version(services.state, live.version).cost if live else {}
    bytes_a_token = cost.get("bytes_a_token") or _BYTES_A_TOKEN
    seconds_a_token = cost.get("seconds_a_token") or _SECONDS_A_TOKEN
    tokens = int(size / bytes_a_token)
    return tokens, round(tokens * seconds_a_token)


def _shards(work: pa.Table) -> tuple[ShardPlan, ...]:
    if work.num_rows == 0:
        return ()
    rows = work.group_by("shard").aggregate([("key", "count"), ("size", "sum")]).sort_by("shard").to_pylist()
    return tuple(
        ShardPlan(r["shard"], f"{n} of {len(rows)}: {r['key_count']} documents, {r['size_sum'] / 1e6:.1f} MB")
        for n, r in enumerate(rows, start=1)
    )


def shard_rows(services: Services, run: Run, shard: int) -> list[dict[str, Any]]:
    """The documents of one shard, as planned.

    Raises:
        Misconfigured: the run has no plan.
    """
    table = read_table(services, run_key(run.run_id, "work.parquet"))
    if table is None:
        raise Misconfigured(f"run {run.run_id} has no plan: clear its plan task first")
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["shard"], shard)).to_pylist()
    return rows
