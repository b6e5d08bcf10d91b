"""`run` and `replay`: one night in this process, whole or for what is in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from nightjar.cli.night import Told, spend_night
from nightjar.cli.options import chosen, json_option, night_options
from nightjar.cli.progress import watched
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, line, say, tallied
from nightjar.flows.runs import Options
from nightjar.plural import counted
from nightjar.stages.enrich import told_set_aside


@click.command()
@click.argument("corpus")
@night_options
@click.option("--no-promote", is_flag=True, help="Build and judge the version, then let it wait.")
@json_option
@pass_session
@click.pass_context
def run(ctx: click.Context, session: Session, *, corpus: str, no_promote: bool, as_json: bool) -> None:
    """Run one night for CORPUS in this process: the same flows that the DAG runs, with progress."""
    found = session.settings.corpus(corpus)
    options = chosen(ctx, found, promote=not no_promote)
    with watched(found.name) as tell, session.opened(found, progress=tell) as services:
        told = spend_night(services, options=options, sleep=session.sleep)
    _tell(told, as_json=as_json)


@click.command()
@click.argument("corpus")
@click.argument("documents", metavar="[DOCUMENT]...", nargs=-1)
@json_option
@pass_session
def replay(session: Session, *, corpus: str, documents: tuple[str, ...], as_json: bool) -> None:
    """Try quarantined documents of CORPUS again: these (by id or source uri), or all; touches nothing else."""
    found = session.settings.corpus(corpus)
    options = Options(failed=not documents, documents=documents)
    with watched(found.name) as tell, session.opened(found, progress=tell) as services:
        told = spend_night(services, options=options, sleep=session.sleep)
    _tell(told, as_json=as_json)


def _tell(told: Told, *, as_json: bool) -> None:
    if as_json:
        emit(told.report)
    else:
        _summarise(told)
    if told.held is not None:
        raise told.held


def _summarise(told: Told) -> None:
    report = told.report
    chunks, verdicts = report["chunks"], report["verdicts"]
    say(f"{report['corpus']}: {_outcome(report, held=told.held is not None)} (run {report['run_id']})")
    if told.held is not None and not any(report["documents"].values()):
        return  # refused before it looked at any
    say(f"  documents   {_counted(report['documents'])}")
    if report["version"]:
        say(
            f"  chunks      {chunks['total']:,} in all; {chunks['written']:,} written, {chunks['embedded']:,} embedded,"
            f" {chunks['reused']:,} reused; {counted(report['tokens'], 'token')}"
        )
    if told.codes:
        say(f"  quarantine  {len(told.codes):,}: {tallied(told.codes)}")
    if report.get("erased"):
        say(f"  erased      {report['erased']:,}, still in the bucket and left out")
    if set_aside := told_set_aside(report["set_aside"]):
        say(f"  metadata    {line(set_aside)}")
    if judged := [f"{name} {verdict['state']}" for name, verdict in verdicts.items() if verdict and verdict["state"]]:
        say(f"  verdicts    {', '.join(judged)}")
    if report.get("upgrade"):
        say(f"  upgrade     {report['upgrade']}")
    say(f"  seconds     {_spent(report['seconds'])}")


def _outcome(report: Mapping[str, Any], *, held: bool) -> str:
    """What held a night back is its error's sentence, on standard error; any other remark belongs here."""
    version = f"version {report['version']} is {report['state']}" if report["version"] else str(report["state"])
    return f"{version}, {report['reason']}" if report["reason"] and not held else version


def _counted(documents: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in documents.items())


def _spent(seconds: Mapping[str, float]) -> str:
    parts = [f"{name} {spent:.1f}" for name, spent in seconds.items() if name != "total" and spent >= 0.05]  # noqa: PLR2004 - what would print as 0.0
    return f"{seconds['total']:.1f}" + (f": {', '.join(parts)}" if parts else "")
