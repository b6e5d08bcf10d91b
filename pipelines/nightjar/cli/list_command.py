"""`list`: corpora and what is live; a broken file is named and harms no other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, moment, note, say, table
from nightjar.corpus import Corpus
from nightjar.errors import NightjarError
from nightjar.flows.versions import read_live


@dataclass(frozen=True, slots=True)
class Listed:
    """One corpus; `error` says why nobody knows what is live."""

    name: str
    file: str
    source: str
    alias: str
    live: int | None = None
    promoted_at: str | None = None
    held: bool = False
    error: str | None = None


@click.command("list")
@json_option
@pass_session
def list_corpora(session: Session, *, as_json: bool) -> None:
    """Corpora and what is live."""
    corpora = session.settings.all_corpora()
    listed = [_listed(session, *pair) for pair in zip(corpora.valid, corpora.paths, strict=True)]
    broken = [{"file": str(path), "reason": str(error)} for path, error in corpora.broken]
    if as_json:
        emit({"corpora": [asdict(each) for each in listed], "broken": broken})
        return
    if listed:
        headings = ("corpus", "live", "promoted (UTC)", "alias", "documents")
        table(headings, [(x.name, _live(x), moment(x.promoted_at), x.alias, x.source) for x in listed])
    elif not broken:
        say(f"{session.settings.corpora} holds no corpus file: `nightjar init NAME --source s3://…` writes one")
    for each in listed:
        if each.error:
            note(f"{each.name}: {each.error}")
    for wrong in broken:
        note(f"broken: {wrong['reason']}")


def _listed(session: Session, corpus: Corpus, path: Path) -> Listed:
    known = Listed(corpus.name, str(path), corpus.source.uri, corpus.alias)
    try:
        with session.opened(corpus) as services:
            live = read_live(services.state)
    except NightjarError as error:
        return Listed(known.name, known.file, known.source, known.alias, error=str(error))
    if live is None:
        return known
    return Listed(known.name, known.file, known.source, known.alias, live.version, live.promoted_at, held=live.held)


def _live(listed: Listed) -> str:
    if listed.error:
        return "unknown"
    if listed.live is None:
        return "never"
    return f"version {listed.live}" + (", held" if listed.held else "")
