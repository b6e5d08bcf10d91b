"""What a person decides about a version: `promote`, `reject`; and `diff`, to decide by."""

from __future__ import annotations

import click

from nightjar.cli.decider import decider_of, reason_option
from nightjar.cli.options import json_option
from nightjar.cli.progress import watched
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say
from nightjar.flows import decisions
from nightjar.flows.decisions import Decision
from nightjar.flows.differences import documents_apart, recipe_apart


@click.command()
@click.argument("corpus")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@reason_option
@json_option
@pass_session
def promote(session: Session, *, corpus: str, number: int, reason: str, as_json: bool) -> None:
    """Make version N of CORPUS live, which waits or was rejected; built anew where others went live since."""
    found = session.settings.corpus(corpus)
    with watched(found.name) as tell, session.opened(found, progress=tell) as services:
        decided = decisions.promote(services, number, by=decider_of(services, "promote", reason))
    _tell(found.name, decided, as_json=as_json)


@click.command()
@click.argument("corpus")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@reason_option
@json_option
@pass_session
def reject(session: Session, *, corpus: str, number: int, reason: str, as_json: bool) -> None:
    """Decide that version N of CORPUS, which waits, never goes live."""
    with session.opened(corpus) as services:
        name = services.corpus.name
        decided = decisions.reject(services, number, by=decider_of(services, "reject", reason))
    _tell(name, decided, as_json=as_json)


@click.command()
@click.argument("corpus")
@click.argument("before", metavar="A", type=click.IntRange(min=1))
@click.argument("after", metavar="B", type=click.IntRange(min=1))
@click.option("--most", metavar="M", type=click.IntRange(min=0), default=50, help="Documents listed of each kind.")
@json_option
@pass_session
def diff(session: Session, *, corpus: str, before: int, after: int, most: int, as_json: bool) -> None:
    """Documents that were added, changed and removed from version A of CORPUS to version B."""
    with session.opened(corpus) as services:
        name = services.corpus.name
        changes = documents_apart(services, before, after)
        settings = recipe_apart(services, before, after)
    counts = {what: len(uris) for what, uris in changes.items()}
    if as_json:
        listed = {what: uris[:most] for what, uris in changes.items()}
        told = {"from": before, "to": after, "counts": counts, "documents": listed, "recipe": settings}
        emit({"corpus": name, **told})
        return
    told_counts = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    say(f"{name}: from version {before} to {after}: {told_counts} documents")
    for setting in settings:
        say(f"  recipe   {setting}")
    for what, uris in changes.items():
        for uri in uris[:most]:
            say(f"  {what:<8} {uri}")
        if len(uris) > most:
            say(f"  {what:<8} … and {len(uris) - most:,} more (--most {len(uris)})")


def _tell(corpus: str, decided: Decision, *, as_json: bool) -> None:
    told = {"version": decided.version, "state": str(decided.state), "live": decided.live, "rebuilt": decided.rebuilt}
    if as_json:
        emit({"corpus": corpus, **told})
    elif decided.rebuilt:
        say(f"{corpus}: version {decided.version} was built anew on the present documents: {decided.rebuilt} is live")
    else:
        now = f"version {decided.live} is live" if decided.live else "nothing is live"
        decision = f"version {decided.version} is {decided.state}; " if decided.live != decided.version else ""
        say(f"{corpus}: {decision}{now}")
