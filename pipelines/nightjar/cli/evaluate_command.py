"""`evaluate` and `questions`: how well known questions are answered, and drafts of such questions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from nightjar.cli.options import json_option
from nightjar.cli.progress import watched
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, note, say, table
from nightjar.errors import HeldBack
from nightjar.flows.scoring_again import score_again
from nightjar.flows.suggesting import suggest as drafts_of
from nightjar.plural import counted
from nightjar.stages.evaluation.verdict import name_of

Record = Mapping[str, Any]


@click.command()
@click.argument("corpus")
@click.option("--version", "number", type=click.IntRange(min=1), help="Another version than the live one.")
@click.option("--against", type=click.IntRange(min=1), help="Compare with another version than the live one.")
@json_option
@pass_session
def evaluate(session: Session, *, corpus: str, number: int | None, against: int | None, as_json: bool) -> None:
    """Ask the golden questions of CORPUS again; exit 3 where the gate would hold the version back.

    The live version is compared with its own record, another one with what is live, any one with the version that
    --against names. A version whose collection is gone is asked by vector search alone. Keeps the report beside the
    version and the scores in the corpus's history; changes nothing that people search.
    """
    found = session.settings.corpus(corpus)
    with watched(found.name) as tell, session.opened(found, progress=tell) as services:
        services.index.check()
        by = f"evaluate-{services.clock():%Y%m%dT%H%M%S}"
        report = score_again(services, number=number, against=against, by=by)
    if as_json:
        emit(report)
    else:
        _tell(report)
    if report["state"] == "fail":
        raise HeldBack(f"the evaluation gate would hold version {report['version']} back: {report['reason']}")


@click.group()
def questions() -> None:
    """Golden questions of a corpus."""


@questions.command()
@click.argument("corpus")
@click.option("-n", "limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="Drafts at most.")
@json_option
@pass_session
def suggest(session: Session, *, corpus: str, limit: int, as_json: bool) -> None:
    """Draft golden questions of CORPUS from its headings and sentences, one JSON object a line.

    A person reads them, rephrases them as people would ask, and puts the good ones into the corpus's own file.
    """
    with session.opened(corpus) as services:
        name = services.corpus.name
        drafts = drafts_of(services, limit=limit)
    if as_json:
        emit({"corpus": name, "questions": drafts})
        return
    note("drafts for a person to accept: nothing is written into place")
    for each in drafts:
        click.echo(json.dumps(each, ensure_ascii=False))


def _tell(report: Record) -> None:
    against = f", against version {report['live']}" if report["live"] else ""
    name = f"{report['corpus']} version {report['version']}"
    reason = f": {report['reason']}" if report["reason"] else ""
    asked = f"{counted(report['questions'], 'question')} by {report['measured']}"
    say(f"{name}: {asked}{against}: {report['state']}{reason}")
    table(
        ("search", "measure", "before", "now", "difference"), [_row(each, report["k"]) for each in report["measures"]]
    )
    if alone := _compared_alone(report):
        say(f"  only {alone} search is compared: version {report['live']} could be asked by no other")
    for each in report["worse"]:
        now, before = each["now"]["scores"]["ndcg"], each["before"]["scores"]["ndcg"]
        say(f"  worse by {each['mode']}, nDCG@10 {before:.3f} to {now:.3f}: {each['question']}")
    if (more := report["worse_count"] - len(report["worse"])) > 0:
        say(f"  and {counted(more, 'question')} more got worse, {report['worse_count']:,} in all")
    if unknown := report["unknown_count"]:
        answers = counted(unknown, "answer is a document", "answers are documents")
        say(f"  {answers} that this version does not know")
    past = [each["figures"].get("hybrid_ndcg") for each in report["trend"]]
    if told := [f"{value:.3f}" for value in past if value is not None]:
        say(f"  nDCG@10 of hybrid search before: {' '.join(told)}")
    say(f"  the page is {report['report']}")


def _compared_alone(report: Record) -> str:
    """The one search by which both versions could be asked; '' where there are more, or the version has no other."""
    asked, compared = ({each["mode"] for each in report["measures"] if each[side]} for side in ("candidate", "live"))
    return compared.pop() if len(compared) == 1 < len(asked) else ""


def _row(each: Record, k: int) -> tuple[str, ...]:
    live, now, moved = each["live"], each["candidate"], each["difference"]
    return (
        each["mode"],
        name_of(each["measure"], k),
        f"{live['mean']:.3f}" if live else "",
        f"{now['mean']:.3f} ({now['low']:.3f} to {now['high']:.3f})",
        f"{moved['mean']:+.3f} ({moved['low']:+.3f} to {moved['high']:+.3f})" if moved else "",
    )
