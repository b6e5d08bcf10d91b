"""`versions` and `show`: history, and one version with its evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import click

from nightjar.artifacts import version_key
from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, line, moment, say, table
from nightjar.errors import Misconfigured
from nightjar.flows.night import report_of
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, Version, read_live, read_version, read_versions, version_numbers

_EVIDENCE: Final = ("quality", "drift", "evaluation")


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
    headings = ("version", "state", "documents", "chunks", "created (UTC)", "promoted (UTC)", "reason")
    table(headings, [_row(version) for version in found])


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


def _row(version: Version) -> tuple[str, str, int, int, str, str, str]:
    counts = version.counts
    return (
        str(version.number),
        str(version.state),
        counts.get("documents", 0),
        counts.get("chunks", 0),
        moment(version.created_at),
        moment(version.promoted_at),
        version.reason,
    )


def _live(live: Live | None) -> str:
    if live is None:
        return "nothing is live"
    held = f", on hold: {live.held_reason or 'no reason given'}" if live.held else ""
    return f"version {live.version} is live in {live.collection} since {moment(live.promoted_at)} UTC{held}"


@click.command()
@click.argument("corpus")
@click.argument("number", metavar="[N]", type=click.IntRange(min=1), required=False)
@json_option
@pass_session
def show(session: Session, *, corpus: str, number: int | None, as_json: bool) -> None:
    """Version N of CORPUS with its evidence; without N the live one, or the newest where nothing is live."""
    with session.opened(corpus) as services:
        version = read_version(services.state, number or _newest(services))
        evidence = {name: _evidence(services, version, name) for name in _EVIDENCE}
        report = report_of(services, version.run_id)
        name = services.corpus.name
    if as_json:
        told = asdict(version) | {"state": str(version.state), "evidence": evidence, "run": report}
        emit({"corpus": name, **told})
        return
    _tell(name, version)


def _newest(services: Services) -> int:
    live, numbers = read_live(services.state), version_numbers(services.state)
    if live is None and not numbers:
        name = services.corpus.name
        raise Misconfigured(f"{name} has no version yet: `nightjar run {name}` makes the first")
    return live.version if live else numbers[-1]


def _evidence(services: Services, version: Version, name: str) -> Any | None:
    stored = services.state.read(version_key(version.number, f"{name}.json"))
    return json.loads(stored.data) if stored else None


def _tell(corpus: str, version: Version) -> None:
    say(f"{corpus} version {version.number} is {version.state}" + (f": {version.reason}" if version.reason else ""))
    parts = version.recipe_parts.get("embed", {})
    lines = {
        "run": version.run_id,
        "parent": f"version {version.parent}" if version.parent else "none, the first",
        "collection": version.collection or "none",
        "created": f"{moment(version.created_at)} UTC",
        "promoted": f"{moment(version.promoted_at)} UTC" if version.promoted_at else "never",
        "counts": _figures(version.counts),
        "documents": _figures(version.documents),
        "cost": _cost(version.cost),
        "recipe": f"{version.recipe}, model {parts.get('model', 'unknown')}",
    }
    for name, told in lines.items():
        say(f"  {name:<11} {line(told)}")
    for name, verdict in version.verdicts.items():
        say(f"  {name:<11} {_verdict(verdict)}")
    say("  history")
    for step in version.history:
        reason = f": {step['reason']}" if step.get("reason") else ""
        say(f"    {moment(step['at'])}  {line(step['state'])} by {line(step['actor'])}{line(reason)}")


def _figures(figures: Mapping[str, int]) -> str:
    return ", ".join(f"{value:,} {name}" for name, value in figures.items()) or "none"


def _cost(cost: Mapping[str, Any]) -> str:
    counted = {name: value for name, value in cost.items() if isinstance(value, int)}
    seconds = ", ".join(f"{name} {spent:.1f} s" for name, spent in cost.get("seconds", {}).items())
    return "; ".join(part for part in (_figures(counted), seconds) if part)


def _verdict(verdict: Mapping[str, Any] | None) -> str:
    if not verdict:
        return "not judged"
    reason = f": {verdict['reason']}" if verdict.get("reason") else ""
    figures = ", ".join(f"{name} {value:g}" for name, value in verdict.get("figures", {}).items())
    return line(f"{verdict['state']}{reason}" + (f" ({figures})" if figures else ""))
