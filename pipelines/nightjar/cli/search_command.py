"""`search`: what applications would be answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from nightjar.cli.options import equalities, json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import clean, emit, line, note, say
from nightjar.errors import bounded
from nightjar.flows.searching import MODES, Answer, Question, ask, typed_where
from nightjar.model import Hit

_EXCERPT: Final = 600
_MOST_HITS: Final = 1_000


@click.command()
@click.argument("corpus")
@click.argument("question")
@click.option("-k", "limit", type=click.IntRange(1, _MOST_HITS), default=5, show_default=True, help="Hits to show.")
@click.option("--mode", type=click.Choice(MODES), default="hybrid", show_default=True, help="How to compare.")
@click.option(
    "--where",
    multiple=True,
    metavar="NAME=VALUE",
    callback=equalities,
    help="Only chunks whose property has this value; may stand several times.",
)
@click.option("--acl", multiple=True, metavar="GROUP", help="Only what one of these groups may read.")
@click.option("--version", "number", type=click.IntRange(min=1), help="An earlier version instead of the live one.")
@json_option
@pass_session
def search(  # noqa: PLR0913 - one parameter for each option that CONTRACTS promises
    session: Session,
    *,
    corpus: str,
    question: str,
    limit: int,
    mode: str,
    where: tuple[tuple[str, str], ...],
    acl: tuple[str, ...],
    number: int | None,
    as_json: bool,
) -> None:
    """Ask CORPUS a QUESTION: the live index through its alias, or version N."""
    if not question.strip():
        raise click.BadParameter("is empty: ask something", param_hint="QUESTION")
    found = session.settings.corpus(corpus)
    asked = Question(question, mode, limit, typed_where(found, where) or None, acl or None)
    with session.opened(found) as services:
        services.index.check()
        answer = ask(services, asked, version=number)
    if not acl:
        note("without --acl nothing is filtered: hits may be documents that not everybody may read")
    if answer.exact:
        note(f"version {answer.version} stands in no collection: every stored vector was compared, by vector only")
    if as_json:
        emit(as_record(found.name, answer))
    else:
        _tell(answer)


def as_record(corpus: str, answer: Answer) -> dict[str, Any]:
    """The promised shape of `search --json`; ranks from 1."""
    hits = [_hit(rank, hit) for rank, hit in enumerate(answer.hits, start=1)]
    return {"corpus": corpus, "version": answer.version, "mode": answer.mode, "hits": hits}


def _hit(rank: int, hit: Hit) -> dict[str, Any]:
    read: Mapping[str, Any] = hit.properties
    return {
        "rank": rank,
        "score": hit.score,
        "chunk_id": hit.chunk_id,
        "document_id": read["document_id"],
        "source_uri": read["source_uri"],
        "title": read["title"],
        "heading_path": list(read["heading_path"] or ()),
        "page": read["page_first"],
        "text": read["text"],
    }


def _tell(answer: Answer) -> None:
    if not answer.hits:
        say(f"nothing found in version {answer.version}")
    for rank, hit in enumerate(answer.hits, start=1):
        told = _hit(rank, hit)
        trail = " / ".join(line(part) for part in dict.fromkeys((told["title"], *told["heading_path"])) if part)
        page = f", page {told['page']}" if told["page"] else ""
        say(f"{rank}. {told['score']:.3f}  {trail}")
        say(f"   {line(told['source_uri'])}{page}")
        say(f"   {bounded(clean(told['text']), limit=_EXCERPT)}")
        say()
