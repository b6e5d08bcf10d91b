"""`forget`: erase documents everywhere, or let erased ones return."""

from __future__ import annotations

import click

from nightjar.cli.decider import decider_of
from nightjar.cli.options import json_option
from nightjar.cli.progress import watched
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say
from nightjar.flows import erasing
from nightjar.flows.erasing import Forgotten
from nightjar.flows.fence import holding
from nightjar.plural import counted


@click.command()
@click.argument("corpus")
@click.argument("documents", metavar="DOCUMENT...", nargs=-1, required=True)
@click.option(
    "--reason", metavar="R", default="", help="Kept in the record of erasures: name no person and no document."
)
@click.option("--lift", is_flag=True, help="Let these erased documents return with the next run.")
@json_option
@pass_session
def forget(
    session: Session, *, corpus: str, documents: tuple[str, ...], reason: str, lift: bool, as_json: bool
) -> None:
    """Erase documents of CORPUS (id, source uri or key) from everything that Nightjar keeps, at once and for good.

    They stay away until --lift. The source objects are not touched; what else is out of reach is printed.
    """
    found = session.settings.corpus(corpus)
    with watched(found.name) as tell, session.opened(found, progress=tell) as services:
        by = decider_of(services, "forget", reason)
        with holding(services, run_id=by.run_id, owner=by.owner) as (fenced, lease):
            if lift:
                ids = erasing.lift(fenced, documents, lease=lease, actor=by.actor)
            else:
                told = erasing.forget(fenced, documents, reason=reason, lease=lease, actor=by.actor)
    if lift:
        _tell_lifted(found.name, ids, as_json=as_json)
    else:
        _tell(found.name, told, as_json=as_json)


def _tell_lifted(corpus: str, ids: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        emit({"corpus": corpus, "lifted": list(ids)})
        return
    say(f"{corpus}: {counted(len(ids), 'document')} may return with the next run, if still in the bucket")


def _tell(corpus: str, told: Forgotten, *, as_json: bool) -> None:
    if as_json:
        emit(told.as_json(corpus))
        return
    removed = told.removed
    say(f"{corpus}: erased {counted(len(told.documents), 'document')} from every version, collection, report and run")
    stored = counted(removed.stored, "stored content is", "stored contents are")
    say(f"  {counted(removed.objects, 'object')} left the index, {stored} deleted")
    say(f"  no run takes what was erased until `nightjar forget {corpus} --lift {told.documents[0]}`")
    say("  out of reach from here:")
    for sentence in told.unreachable:
        say(f"    {sentence}")
