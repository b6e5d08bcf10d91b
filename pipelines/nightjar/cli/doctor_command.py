"""`doctor`: one line for each thing needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click

from nightjar.cli.faults import FAILED
from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, line, say
from nightjar.corpus import Corpora, Corpus
from nightjar.errors import NightjarError
from nightjar.flows.doctor import Check, Standing, examine, examine_disk, examine_tools

_INDISPENSABLE: Final = ("unstructured", "pypdfium2")
_MARKS: Final = {
    Standing.OK: ("ok     ", "green"),
    Standing.WARNING: ("warning", "yellow"),
    Standing.MISSING: ("missing", "red"),
}


@click.command()
@click.argument("corpus", required=False)
@json_option
@pass_session
@click.pass_context
def doctor(ctx: click.Context, session: Session, *, corpus: str | None, as_json: bool) -> None:
    """Check everything that a run needs: for CORPUS, or for all corpora. Exit 1 if something is missing."""
    settings = session.settings
    corpora = settings.all_corpora() if corpus is None else Corpora((settings.corpus(corpus),), ())
    sections = {"machine": _machine(session)}
    _tell("machine", sections["machine"], quiet=as_json)
    for found in corpora.valid:
        sections[found.name] = _corpus(session, found)
        _tell(found.name, sections[found.name], quiet=as_json)
    if corpora.broken:
        wrong = [Check(path.name, Standing.MISSING, str(error)) for path, error in corpora.broken]
        sections["broken corpus files"] = wrong
        _tell("broken corpus files", wrong, quiet=as_json)
    missing = any(check.standing is Standing.MISSING for checks in sections.values() for check in checks)
    if as_json:
        emit(_record(sections, ok=not missing))
    if missing:
        ctx.exit(FAILED)


def _machine(session: Session) -> list[Check]:
    folders = [("work folder", session.settings.work), ("cache", session.settings.cache)]
    return [*examine_tools(session.tools(), needed=_INDISPENSABLE), *examine_disk(folders)]


def _corpus(session: Session, corpus: Corpus) -> list[Check]:
    """A corpus whose doors cannot even be opened (no WEAVIATE_URL, no state) has one check that says so."""
    try:
        with session.opened(corpus) as services:
            return list(examine(services))
    except NightjarError as error:
        return [Check("settings", Standing.MISSING, str(error))]


def _tell(title: str, checks: Sequence[Check], *, quiet: bool) -> None:
    if quiet:
        return
    say(title)
    for check in checks:
        mark, colour = _MARKS[check.standing]
        click.echo(f"  {click.style(mark, fg=colour)}  {line(check.name)}: {line(check.told)}")


def _record(sections: dict[str, list[Check]], *, ok: bool) -> dict[str, Any]:
    return {"ok": ok, "checks": {title: _listed(checks) for title, checks in sections.items()}}


def _listed(checks: Sequence[Check]) -> list[dict[str, str]]:
    return [check.as_json() for check in checks]
