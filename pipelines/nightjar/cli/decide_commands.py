"""What a person decides about versions: `promote`, `reject`, `rollback`, `hold`, `unhold`; and `diff`, to decide by."""

from __future__ import annotations

import secrets

import click

from nightjar.cli.options import json_option
from nightjar.cli.progress import watched
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say
from nightjar.flows import decisions
from nightjar.flows import rollback as holding
from nightjar.flows.decisions import Decider, Decision
from nightjar.flows.differences import documents_apart, recipe_apart
from nightjar.flows.returning import go_back
from nightjar.flows.rollback import version_before
from nightjar.flows.services import Services
from nightjar.flows.versions import read_live
from nightjar.owner import Owner, person

_reason = click.option("--reason", metavar="R", default="", help="Kept in the history, for whoever asks why.")


@click.command()
@click.argument("corpus")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@_reason
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
@_reason
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
@click.option("--to", metavar="N", type=click.IntRange(min=1), help="A version that was live; default: the one before.")
@_reason
@json_option
@pass_session
def rollback(session: Session, *, corpus: str, to: int | None, reason: str, as_json: bool) -> None:
    """Serve an earlier version of CORPUS again, and hold it there until `unhold`."""
    found = session.settings.corpus(corpus)
    with watched(found.name) as tell, session.opened(found, progress=tell) as services:
        before = read_live(services.state)
        live = go_back(services, to=to, by=decider_of(services, "rollback", reason))
        further = version_before(services, live)
    came_from = before.version if before else live.version
    if as_json:
        told = {"live": live.version, "from": came_from, "collection": live.collection, "held": live.held}
        emit({"corpus": found.name, **told})
        return
    instead = f" instead of version {came_from}" if came_from != live.version else ""
    say(f"{found.name}: version {live.version} is live again in {live.collection}{instead}")
    say(f"  on hold: {live.held_reason}; runs build and wait until `nightjar unhold {found.name}`")
    again = f"goes further back, to version {further}" if further else "has nowhere further back to go"
    say(f"  `nightjar rollback {found.name}` again {again}")


@click.command()
@click.argument("corpus")
@_reason
@json_option
@pass_session
def hold(session: Session, *, corpus: str, reason: str, as_json: bool) -> None:
    """Let runs of CORPUS build and judge, and promote nothing."""
    with session.opened(corpus) as services:
        name = services.corpus.name
        live = holding.hold(services, reason=reason, actor=person())
    if as_json:
        emit({"corpus": name, "live": live.version, "held": True})
        return
    say(f"{name}: version {live.version} stays live until `nightjar unhold {name}`")


@click.command()
@click.argument("corpus")
@json_option
@pass_session
def unhold(session: Session, *, corpus: str, as_json: bool) -> None:
    """Let runs of CORPUS promote again; says what the newest waiting version would change."""
    with session.opened(corpus) as services:
        name = services.corpus.name
        live = holding.unhold(services)
        waiting = decisions.newest_waiting(services)
        changes = documents_apart(services, live.version, waiting.number) if waiting else None
    if as_json:
        emit({"corpus": name, "live": live.version, "held": False, "waiting": waiting.number if waiting else None})
        return
    say(f"{name}: version {live.version} is live, and the next run may promote")
    if waiting and changes is not None:
        told = ", ".join(f"{len(uris):,} {what}" for what, uris in changes.items())
        say(f"  version {waiting.number} waits ({told}): `nightjar promote {name} {waiting.number}` makes it live now")


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


def decider_of(services: Services, what: str, reason: str) -> Decider:
    """The person at this prompt, with a run id that is new for each command."""
    run_id = f"{what}-{services.clock():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    return Decider(run_id=run_id, owner=Owner.command(), actor=person(), reason=reason)


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
