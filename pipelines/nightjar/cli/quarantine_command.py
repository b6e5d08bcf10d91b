"""`quarantine`: documents set aside, each with its reason."""

from __future__ import annotations

import click

from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, moment, say, table, tallied
from nightjar.flows.quarantine import quarantined
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_live, read_version


@click.command()
@click.argument("corpus")
@click.option("--version", "number", type=click.IntRange(min=1), help="Another version than the live one.")
@json_option
@pass_session
def quarantine(session: Session, *, corpus: str, number: int | None, as_json: bool) -> None:
    """Documents of CORPUS that could not be read or were refused, in the live version."""
    with session.opened(corpus) as services:
        version = _version(services, number)
        rows = quarantined(services, version) if version else []
        name = services.corpus.name
    if as_json:
        emit({"corpus": name, "version": version.number if version else None, "documents": rows})
        return
    if version is None:
        say(f"{name}: nothing is live, so nothing is in quarantine; --version N shows another version's")
        return
    if rows:
        headings = ("code", "stage", "tries", "since (UTC)", "document", "reason")
        table(
            headings,
            [
                (r["code"], r["stage"], r["attempts"], moment(r["first_seen"]), r["source_uri"], r["reason"])
                for r in rows
            ],
        )
    say(f"{name} version {version.number}: {len(rows):,} in quarantine" + _by_code([r["code"] for r in rows]))


def _version(services: Services, number: int | None) -> Version | None:
    if number is not None:
        return read_version(services.state, number)
    live = read_live(services.state)
    return read_version(services.state, live.version) if live else None


def _by_code(codes: list[str]) -> str:
    return f" ({tallied(codes)})" if codes else ""
