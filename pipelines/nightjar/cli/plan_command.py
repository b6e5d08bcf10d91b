"""`plan`: what a run would do and cost, without lease and without writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click
import pyarrow as pa

from nightjar.cli.faults import CHANGES
from nightjar.cli.options import chosen, json_option, night_options
from nightjar.cli.progress import watched
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say, table
from nightjar.flows.moves import heirs
from nightjar.flows.planning import Draft, Plan, draft
from nightjar.flows.runs import Options, live_rows
from nightjar.flows.services import Services
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import read_live
from nightjar.plural import counted
from nightjar.stages import plan as stage
from nightjar.stages.deletions import continuations

_SHOWN: Final = 200
_MINUTE: Final = 60


@click.command()
@click.argument("corpus")
@night_options
@click.option("--documents", is_flag=True, help="Each document that would be worked on, with the reason.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 4 when there are changes.")
@json_option
@pass_session
@click.pass_context
def plan(
    ctx: click.Context, session: Session, *, corpus: str, documents: bool, detailed_exitcode: bool, as_json: bool
) -> None:
    """Say what a run of CORPUS would do and cost. Writes nothing, reads no document."""
    found = session.settings.corpus(corpus)
    options = chosen(ctx, found)
    with watched(found.name) as tell, session.opened(found, progress=tell) as services:
        drafted = draft_now(services, options)
    changes = changes_of(drafted) if documents else None
    if as_json:
        emit(drafted.plan.as_json(found.name) | ({} if changes is None else {"changes": changes}))
    else:
        _tell(found.name, drafted.plan, changes)
    if detailed_exitcode and not (drafted.plan.empty and drafted.plan.guard is None):
        ctx.exit(CHANGES)


def draft_now(services: Services, options: Options) -> Draft:
    """Tonight against what is live."""
    live = read_live(services.state)
    base, distrusted = live_rows(services, live), disagreement(services, live)
    return draft(services, live=live, base=base, recipe=services.recipe(), options=options, distrusted=distrusted)


def changes_of(drafted: Draft) -> list[dict[str, Any]]:
    """Each document that differs, by uri: what would be done to it and why; sizes in bytes."""
    columns = ["uri", "size", "why", "stage", "base_failure_code"]
    work = [
        {"source_uri": row["uri"], "change": row["why"], "from_stage": row["stage"], "size": row["size"]}
        | {"reason": _reason(row)}
        for row in drafted.work.select(columns).to_pylist()
    ]
    before = _keys_before(drafted)
    work = [change | _renamed(before[uri]) if (uri := change["source_uri"]) in before else change for change in work]
    gone = drafted.gone.slice(drafted.plan.renamed)
    return sorted(work + _gone(gone) + _withheld(drafted.withheld), key=lambda change: str(change["source_uri"]))


def _keys_before(drafted: Draft) -> dict[str, str]:
    """Where each renamed document lay before, by where it lies now; among `gone` they are the first."""
    renamed = drafted.gone.slice(0, drafted.plan.renamed)
    after = heirs(drafted.work)
    now = after["uri"].take(continuations(renamed, after))
    return dict(zip(now.to_pylist(), renamed["uri"].to_pylist(), strict=True))


def _renamed(before: str) -> dict[str, Any]:
    """Nothing is made of it: its content is known by the bytes, as `Plan` counts it."""
    reason = f"same etag and size as {before}, which is gone"
    return {"change": "renamed", "from_stage": None, "reason": reason, "renamed_from": before}


def _gone(gone: pa.Table) -> list[dict[str, Any]]:
    return [
        {"source_uri": row["uri"], "change": "deleted", "from_stage": None, "size": row["size"]}
        | {"reason": "no longer in the bucket"}
        for row in gone.select(["uri", "size"]).to_pylist()
    ]


def _withheld(rows: pa.Table) -> list[dict[str, Any]]:
    return [
        {"source_uri": row["uri"], "change": "withheld", "from_stage": None, "size": row["size"]}
        | {"reason": f"missing since {row['first_missed']}", "first_missed": row["first_missed"]}
        for row in rows.to_pylist()
    ]


def _reason(row: Mapping[str, Any]) -> str:
    if row["stage"] == stage.DESCRIBE:
        return "its sidecar differs"
    reasons = {
        stage.ADDED: "not in the live version",
        stage.CHANGED: "etag, size, time or sidecar differ",
        stage.RETRIED: f"failed before ({row['base_failure_code']})",
        stage.REMADE: f"the recipe of the {row['stage']} stage differs, or it was asked for",
    }
    return reasons[row["why"]]


def _tell(corpus: str, made: Plan, changes: list[dict[str, Any]] | None) -> None:
    say(
        f"{corpus}: {made.added:,} added, {made.changed:,} changed, {made.deleted:,} deleted, {made.renamed:,} renamed,"
        f" {made.unchanged:,} unchanged"
    )
    if made.empty:
        say("  nothing to do")
    else:
        say(f"  {made.to_parse:,} to parse, {made.to_chunk:,} to chunk, {made.to_embed:,} to embed")
        say(
            f"  about {counted(made.estimated_tokens, 'token')} and {_duration(made.estimated_seconds)},"
            f" shards: {len(made.shards)}"
        )
    if made.erased:
        say(f"  erased and left out: {made.erased:,}, still in the bucket")
    remarks = {"guard": made.guard, "held": made.held, "rebuild": made.rebuild, "upgrade": made.upgrade}
    for name, told in remarks.items():
        if told:
            say(f"  {name}: {told}")
    if changes:
        table(("change", "reason", "bytes", "document"), [_cells(change) for change in changes[:_SHOWN]])
    if changes and len(changes) > _SHOWN:
        say(f"… and {len(changes) - _SHOWN:,} more: --json lists them all")


def _cells(change: Mapping[str, Any]) -> tuple[str, str, int, str]:
    return change["change"], change["reason"], change["size"], change["source_uri"]


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 2 * _MINUTE else f"{round(seconds / _MINUTE):,} min"
