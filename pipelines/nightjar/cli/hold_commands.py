"""What a person decides about what people search: `rollback`, `hold`, `unhold`."""

from __future__ import annotations

import click

from nightjar.cli.decider import decider_of, reason_option
from nightjar.cli.options import json_option
from nightjar.cli.progress import watched
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say
from nightjar.flows import rollback as holding
from nightjar.flows.differences import documents_apart
from nightjar.flows.returning import go_back
from nightjar.flows.rollback import version_before
from nightjar.flows.versions import read_live
from nightjar.flows.waiting import newest_waiting
from nightjar.owner import person


@click.command()
@click.argument("corpus")
@click.option("--to", metavar="N", type=click.IntRange(min=1), help="A version that was live; default: the one before.")
@reason_option
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
@reason_option
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
        waiting = newest_waiting(services)
        changes = documents_apart(services, live.version, waiting.number) if waiting else None
    if as_json:
        emit({"corpus": name, "live": live.version, "held": False, "waiting": waiting.number if waiting else None})
        return
    say(f"{name}: version {live.version} is live, and the next run may promote")
    if waiting and changes is not None:
        told = ", ".join(f"{len(uris):,} {what}" for what, uris in changes.items())
        say(f"  version {waiting.number} waits ({told}): `nightjar promote {name} {waiting.number}` makes it live now")
