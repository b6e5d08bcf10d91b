"""List, compare, guard: what tonight would do and cost. `draft` writes nothing; `plan` keeps what the steps need."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import run_key
from nightjar.errors import Misconfigured
from nightjar.flows.checks import check_digest
from nightjar.flows.costs import above_limits, estimate, told_stale, with_small_upgrade
from nightjar.flows.deletions import decide_deletions, remember_withheld
from nightjar.flows.erased import refuse_erased
from nightjar.flows.listing import list_wanted, refuse_unknown, within
from nightjar.flows.metadata import rules_digest
from nightjar.flows.moves import may_stay, to_new_keys
from nightjar.flows.remaking import in_one_space, remake_lost
from nightjar.flows.runs import Options, Run, read_json, read_table, write_json, write_table
from nightjar.flows.services import Services
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import Live, read_version
from nightjar.plural import counted
from nightjar.recipe import Recipe
from nightjar.stages import plan as stage

log = logging.getLogger(__name__)
_SHARD_BYTES: Final = 32 * 1024 * 1024
_SHARD_DOCUMENTS: Final = 2_000
_MOST_SHARDS: Final = 50


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One shard's number (from 0) and its name in the UI."""

    number: int
    label: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, as printed by `nightjar plan`; documents are counted by what happened to them.

    `stale` documents were made by an older parser or chunker and keep that; `upgrade` tells a person. `guard` says why
    `withheld` deletions are, `held` why the whole run waits for approval, `rebuild` why the live collection cannot be
    trusted. `redescribe`: the corpus file's metadata rules changed, so that every document is described anew. `erased`
    documents are still in the bucket and left out.
    """

    added: int
    changed: int
    deleted: int
    renamed: int
    unchanged: int
    stale: int
    withheld: int
    deletions_approved: int
    to_parse: int
    to_chunk: int
    to_embed: int
    estimated_tokens: int
    estimated_seconds: int
    guard: str | None
    held: str | None
    rebuild: str | None
    shards: tuple[ShardPlan, ...]
    redescribe: bool = False
    erased: int = 0
    upgrade: str | None = None

    @property
    def empty(self) -> bool:
        """Nothing differs and the index agrees: the night ends green and makes no version."""
        return not (self.shards or self.deleted or self.rebuild or self.redescribe)

    def as_json(self, corpus: str) -> dict[str, Any]:
        """The promised shape of `plan --json`."""
        names = ("added", "changed", "deleted", "renamed", "unchanged")
        rest = {k: v for k, v in asdict(self).items() if k not in (*names, "shards")}
        return {"format": 1, "corpus": corpus, "documents": {n: getattr(self, n) for n in names}, **rest}


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with the rows behind it; `gone` are the confirmed deletions, `remembered` the list of withheld ones.

    `moved` are those of `gone` that stay where their new key fails.
    """

    plan: Plan
    work: pa.Table
    gone: pa.Table
    moved: pa.Table
    withheld: pa.Table
    remembered: pa.Table


def plan(services: Services, run: Run) -> Plan:
    """Plan the run and keep the plan; a retry finds the one it made."""
    kept = read_json(services, run, "plan.json")
    if kept is not None:
        return Plan(**{**kept, "shards": tuple(ShardPlan(**s) for s in kept["shards"])})
    base = run.base(services)
    wrong = disagreement(services, run.live) if run.distrusted is None else run.distrusted or None
    draft_ = draft(services, live=run.live, base=base, recipe=run.recipe, options=run.options, distrusted=wrong)
    remember_withheld(services, draft_.remembered)
    write_table(services, run_key(run.run_id, "work.parquet"), draft_.work)
    write_table(services, run_key(run.run_id, "gone.parquet"), draft_.gone)
    write_table(services, run_key(run.run_id, "moved.parquet"), draft_.moved)
    write_table(services, run_key(run.run_id, "withheld.parquet"), draft_.withheld)
    write_json(services, run, "plan.json", asdict(draft_.plan))
    made = draft_.plan
    log.info(
        "planned run=%s added=%d changed=%d deleted=%d renamed=%d unchanged=%d shards=%d rebuild=%s guard=%s held=%s",
        *(run.run_id, made.added, made.changed, made.deleted, made.renamed, made.unchanged),
        *(len(made.shards), made.rebuild, made.guard, made.held),
    )
    if made.upgrade:
        log.warning("%s", made.upgrade)
    return made


def draft(
    services: Services,
    *,
    live: Live | None,
    base: pa.Table,
    recipe: Recipe,
    options: Options,
    distrusted: str | None,
) -> Draft:
    """Compare the bucket with `base`; reads no document bytes and writes nothing.

    `distrusted` is why the live collection has to be made again (`flows.trust`), None where it need not be.

    Raises:
        Misconfigured: a document was named that neither stands nor is listed; or the run is limited, and the rest of
            the corpus was embedded by another model.
    """
    corpus = services.corpus
    listing, base = list_wanted(services, base)
    here = within(listing.documents, corpus, options, base=base)
    considered = within(base, corpus, options, base=base)
    if options.decided is None:  # else they were named for an earlier run: what is gone since is done without
        refuse_erased(services.state, options.documents)
        refuse_unknown(here, considered, options)
    changes = stage.compare(here, considered, recipes=_recipes(services, recipe, considered), scope=_scope(options))
    changes = with_small_upgrade(corpus, changes, options)
    deletions = decide_deletions(
        services,
        changes,
        listing=listing,
        base=base,
        live=live,
        approve=options.approve_deletions,
        approved_list=options.approved_list,
    )
    unchanged = changes.unchanged + changes.count(stage.REMADE) + changes.count(stage.RETRIED)
    if live is not None and (distrusted or not changes.empty):
        changes = remake_lost(services, changes, base, gone=deletions.gone, listing=listing)
    changes = in_one_space(services, changes, base, gone=deletions.gone, recipe=recipe, options=options)
    work = stage.assign_shards(
        changes.work, bytes_each=_SHARD_BYTES, documents_each=_SHARD_DOCUMENTS, most=_MOST_SHARDS
    )
    tokens, seconds = estimate(services, live, work)
    approved = options.approve_cost or options.decided is not None
    held = None if approved else above_limits(corpus, tokens=tokens, seconds=seconds)
    renamed = deletions.renamed.num_rows
    to_parse = changes.starting_at("parse") - renamed
    made = Plan(
        added=changes.count(stage.ADDED) - to_new_keys(deletions.renamed, changes.work),
        changed=changes.count(stage.CHANGED),
        deleted=deletions.gone.num_rows - renamed,
        renamed=renamed,
        unchanged=unchanged,
        stale=changes.stale.num_rows,
        withheld=deletions.withheld.num_rows,
        deletions_approved=deletions.approved,
        to_parse=to_parse,
        to_chunk=to_parse + changes.starting_at("chunk"),
        to_embed=work.num_rows - renamed - changes.starting_at(stage.DESCRIBE),
        estimated_tokens=tokens,
        estimated_seconds=seconds,
        guard=deletions.guard,
        held=held,
        rebuild=distrusted,
        shards=_shards(work),
        redescribe=live is not None
        and read_version(services.state, live.version).metadata_rules != rules_digest(services.corpus),
        erased=listing.erased,
        upgrade=told_stale(corpus, changes.stale.num_rows),
    )
    moved = may_stay(services, deletions.renamed, listing=listing)
    return Draft(made, work, deletions.gone, moved, deletions.withheld, deletions.remembered)


def _scope(options: Options) -> stage.Scope:
    again = options.failed or bool(options.documents)
    return stage.Scope(full_refresh=options.full_refresh, failed=again, recompute=options.recompute)


def _recipes(services: Services, recipe: Recipe, base: pa.Table) -> stage.Recipes:
    """The suites are read only where one of their verdicts stands in the base."""
    by_rule = pc.any(pc.equal(base["failure_stage"], "check")).as_py()
    return stage.Recipes(recipe, check=check_digest(services, recipe) if by_rule else "")


def _shards(work: pa.Table) -> tuple[ShardPlan, ...]:
    if work.num_rows == 0:
        return ()
    rows = work.group_by("shard").aggregate([("key", "count"), ("size", "sum")]).sort_by("shard").to_pylist()
    return tuple(
        ShardPlan(
            r["shard"], f"{n} of {len(rows)}: {counted(r['key_count'], 'document')}, {r['size_sum'] / 1e6:.1f} MB"
        )
        for n, r in enumerate(rows, start=1)
    )


def planned_work(services: Services, run: Run) -> pa.Table:
    """Every document that the plan works on, with what the base says of it under `base_…`.

    Raises:
        Misconfigured: the run has no plan.
    """
    table = read_table(services, run_key(run.run_id, "work.parquet"))
    if table is None:
        raise Misconfigured(f"run {run.run_id} has no plan: clear its plan task first")
    return table


def shard_rows(services: Services, run: Run, shard: int) -> list[dict[str, Any]]:
    """The documents of one shard, as planned.

    Raises:
        Misconfigured: the run has no plan.
    """
    table = planned_work(services, run)
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["shard"], shard)).to_pylist()
    return rows
