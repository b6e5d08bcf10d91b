"""`gc`: delete what nobody needs any more."""

from __future__ import annotations

import click

from nightjar.cli.decider import decider_of
from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say
from nightjar.flows.fence import holding
from nightjar.flows.sweeping import Swept, sweep
from nightjar.plural import counted


@click.command()
@click.argument("corpus")
@click.option("--dry-run", is_flag=True, help="Say what would go; delete nothing.")
@json_option
@pass_session
def gc(session: Session, *, corpus: str, dry_run: bool, as_json: bool) -> None:
    """Delete what CORPUS keeps and no version, collection or quarantine needs; never anything younger than a week."""
    with session.opened(corpus) as services:
        name = services.corpus.name
        by = decider_of(services, "gc", "")
        with holding(services, run_id=by.run_id, owner=by.owner) as (fenced, lease):
            swept = sweep(fenced, lease=lease, actor=by.actor, dry_run=dry_run)
    if as_json:
        emit(swept.as_json(name))
    else:
        _tell(name, swept)


def _tell(corpus: str, swept: Swept) -> None:
    total = sum(swept.objects.values())
    done = "would delete" if swept.dry_run else "deleted"
    say(f"{corpus}: {done} {counted(total, 'object')}, {swept.size / 1e6:,.1f} MB")
    if swept.versions:
        say(f"  versions {', '.join(map(str, swept.versions))}, beyond index.keep_versions")
    told = {kind: count for kind, count in swept.objects.items() if count and kind != "versions"}
    if told:
        say(f"  {', '.join(f'{count:,} of {kind}' for kind, count in told.items())}")
    for name in swept.orphans:
        say(f"  collection {name} has this corpus's name and no record: drop it in Weaviate if nobody uses it")
