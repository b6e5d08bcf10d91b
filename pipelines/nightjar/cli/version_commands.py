"""`versions`: the history of a corpus, one line a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import Cell, emit, moment, say, table
from nightjar.flows.versions import Live, Version, read_live, read_versions

_HAPPENED: Final = ("added", "changed", "deleted", "renamed", "quarantined")


@click.command()
@click.argument("corpus")
@json_option
@pass_session
def versions(session: Session, *, corpus: str, as_json: bool) -> None:
    """History of CORPUS, newest first."""
    with session.opened(corpus) as services:
        live, found = read_live(services.state), read_versions(services.state)
        name = services.corpus.name
    if as_json:
        emit(history(name, live, found))
        return
    if not found:
        say(f"{name} has no version yet: nightjar run {name}")
        return
    say(f"{name}: {_live(live)}")
    headings = ("version", "state", "documents", "chunks", "tokens", "seconds", "made (UTC)", "live (UTC)", "changes")
    table((*headings, "reason"), [_row(version) for version in found])
    say(f"`nightjar show {name} N` tells one version whole, `nightjar diff {name} A B` what two differ in")


def history(corpus: str, live: Live | None, found: list[Version]) -> dict[str, Any]:
    """The promised shape of `versions --json`."""
    return {
        "corpus": corpus,
        "live": live.version if live else None,
        "held": live.held if live else False,
        "versions": [_listed(version) for version in found],
    }


def _listed(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "state": str(version.state),
        "parent": version.parent,
        "collection": version.collection,
        "documents": version.counts.get("documents", 0),
        "chunks": version.counts.get("chunks", 0),
        "created_at": version.created_at,
        "promoted_at": version.promoted_at,
        "recipe": version.recipe,
        "verdicts": dict(version.verdicts),
        "reason": version.reason,
    }


def _row(version: Version) -> tuple[Cell, ...]:
    """Tokens and seconds are what making it cost; nothing where it was never judged."""
    counts, cost = version.counts, version.cost
    spent = sum(cost.get("seconds", {}).values())
    return (
        str(version.number),
        str(version.state),
        counts.get("documents", 0),
        counts.get("chunks", 0),
        cost.get("tokens"),
        round(spent) if cost else None,
        moment(version.created_at),
        moment(version.promoted_at),
        happened(version.documents),
        version.reason,
    )


def happened(documents: Mapping[str, int]) -> str:
    """`2 changed, 1 quarantined`: what a night did to documents, without what it did not do."""
    return ", ".join(f"{documents[name]:,} {name}" for name in _HAPPENED if documents.get(name))


def _live(live: Live | None) -> str:
    if live is None:
        return "nothing is live"
    return f"version {live.version} is live in {live.collection} since {moment(live.promoted_at)} UTC{_held(live)}"


def _held(live: Live) -> str:
    if not live.held:
        return ""
    by = f" by {live.held_by}" if live.held_by else ""
    since = f" since {moment(live.held_at)} UTC" if live.held_at else ""
    return f"; on hold{by}{since}: {live.held_reason or 'no reason given'}"
