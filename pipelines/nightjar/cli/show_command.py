"""`show`: one version with its evidence: what changed, what was said of it, what it cost, who moved it and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, line, moment, say, table
from nightjar.cli.version_commands import happened
from nightjar.errors import Misconfigured
from nightjar.flows.night import report_of
from nightjar.flows.services import Services
from nightjar.flows.verdicts import GATES, QUALITY, kept_report, sentence
from nightjar.flows.versions import Version, fields_of, read_live, read_version, version_numbers
from nightjar.plural import counted
from nightjar.stages.enrich import told_set_aside
from nightjar.stages.states import State

_SHOWN: Final = 0.05
"""Seconds that would print as 0.0 are not told."""


@click.command()
@click.argument("corpus")
@click.argument("number", metavar="[N]", type=click.IntRange(min=1), required=False)
@json_option
@pass_session
def show(session: Session, *, corpus: str, number: int | None, as_json: bool) -> None:
    """Version N of CORPUS with its evidence; without N the live one, or the newest where nothing is live."""
    with session.opened(corpus) as services:
        version = read_version(services.state, number or _newest(services))
        evidence = {name: kept_report(services, version.number, name=name) for name in GATES}
        report = report_of(services, version.run_id)
        name = services.corpus.name
    if as_json:
        told = fields_of(version) | {"state": str(version.state), "evidence": evidence, "run": report}
        emit({"corpus": name, **told})
        return
    remarks = {
        "metadata": told_set_aside((evidence[QUALITY] or {}).get("set_aside", ())),
        "upgrade": (report or {}).get("upgrade"),
    }
    _tell(name, version, remarks)


def _newest(services: Services) -> int:
    live, numbers = read_live(services.state), version_numbers(services.state)
    if live is None and not numbers:
        name = services.corpus.name
        raise Misconfigured(f"{name} has no version yet: `nightjar run {name}` makes the first")
    return live.version if live else numbers[-1]


def _tell(corpus: str, version: Version, remarks: Mapping[str, str | None]) -> None:
    say(f"{corpus} version {version.number} is {version.state}" + (f": {version.reason}" if version.reason else ""))
    for command in _what_now(corpus, version):
        say(f"  {command}")
    for name, told in _lines(version).items():
        say(f"  {name:<11} {line(told)}")
    for name, remark in remarks.items():
        if remark:
            say(f"  {name:<11} {line(remark)}")
    for gate, verdict in version.verdicts.items():
        say(f"  {gate:<11} {line(sentence(gate, verdict))}")
        if verdict and "report" in verdict:
            say(f"  {'':<11} {line(verdict['report'])}")
    say()
    steps = [(moment(step["at"]), step["state"], step["actor"], step.get("reason")) for step in version.history]
    table(("when (UTC)", "became", "by", "reason"), steps)


def _what_now(corpus: str, version: Version) -> Iterator[str]:
    """What a person can do about it."""
    if version.state in {State.WAITING, State.REJECTED}:
        yield f"`nightjar promote {corpus} {version.number}` makes it live all the same"
    if version.state is State.WAITING:
        yield f"`nightjar reject {corpus} {version.number}` decides that it never is"
    if version.parent and version.promoted_at is None and version.manifest:
        yield f"`nightjar diff {corpus} {version.parent} {version.number}` lists what it would change"
    if version.documents.get("quarantined"):
        yield f"`nightjar quarantine {corpus} --version {version.number}` lists what could not be read"
    if version.state in {State.RETIRED, State.ROLLED_BACK}:
        yield f"`nightjar rollback {corpus} --to {version.number}` goes back to it"


def _lines(version: Version) -> dict[str, str]:
    embed = version.recipe_parts.get("embed", {})
    made_from = f"version {version.parent}" if version.parent else "nothing, the first"
    instead = f", in place of version {version.rebuilds}" if version.rebuilds else ""
    decided = f", decided by {version.promoted_by}" if version.promoted_by else ""
    how = f", {version.strategy}" if version.strategy else ""
    return {
        "made from": f"{made_from}{instead}, {moment(version.created_at)} UTC, run {version.run_id}",
        "live since": f"{moment(version.promoted_at)} UTC{decided}" if version.promoted_at else "never",
        "collection": f"{version.collection}{how}" if version.collection else "none",
        "changes": f"{happened(version.documents) or 'none'}; {version.documents.get('unchanged', 0):,} unchanged",
        "holds": ", ".join(counted(count, name.removesuffix("s"), name) for name, count in version.counts.items())
        or "nothing",
        "cost": _cost(version.cost),
        "recipe": f"{version.recipe}, model {embed.get('model', 'unknown')}",
    }


def _cost(cost: Mapping[str, Any]) -> str:
    if not cost:
        return "not known"
    spent = {name: seconds for name, seconds in cost.get("seconds", {}).items() if seconds >= _SHOWN}
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())
    told = (
        f"{counted(cost['tokens'], 'token')}; {counted(cost['embedded'], 'chunk')} embedded, {cost['reused']:,} reused;"
        f" {counted(cost['parsed'], 'document')} parsed, {cost['bytes'] / 1e3:,.1f} kB read;"
        f" {sum(spent.values()):,.1f} s"
    )
    return told + (f" ({parts})" if parts else "")
