"""`init`, `validate` and `schema`: corpus files without any server."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click

from nightjar.corpus import Corpora, Corpus, commented_file, folder_uri, json_schema, load_corpus
from nightjar.corpus.model import NAME
from nightjar.corpus.questions import golden_questions
from nightjar.errors import Misconfigured
from nightjar.settings import Settings


@click.command()
@click.argument("name")
@click.option("--source", required=True, metavar="s3://…", help="Folder in S3 with the documents.")
def init(name: str, source: str) -> None:
    """Write a commented corpus file NAME.yaml; an existing one is never overwritten."""
    path = write_corpus_file(name, source=source, settings=Settings.from_environment(os.environ))
    click.echo(f"wrote {path}; edit it, then: nightjar validate {name}")


@click.command()
@click.argument("corpus", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def validate(corpus: str | None, *, as_json: bool) -> None:
    """Check one corpus file, or all of them, with their golden questions, without any server."""
    settings = Settings.from_environment(os.environ)
    checked = with_questions(settings.all_corpora() if corpus is None else Corpora((settings.corpus(corpus),), ()))
    click.echo(
        json.dumps(report(checked)) if as_json else "\n".join(_lines(checked)) or f"{settings.corpora}: no corpora"
    )
    if checked.broken:
        raise Misconfigured("; ".join(str(error) for _, error in checked.broken))


@click.command()
def schema() -> None:
    """Print the JSON Schema of corpus files, so that editors complete and check them."""
    click.echo(json.dumps(json_schema(), indent=2))


def write_corpus_file(name: str, *, source: str, settings: Settings) -> Path:
    """A commented corpus file in the folder of corpus files; what would not load is not left behind.

    Raises:
        Misconfigured: an impossible name or address, or a file that stands already.
    """
    if not re.fullmatch(NAME, name):
        raise Misconfigured(f"{name}: a corpus is named by a lower-case letter, then letters, digits and _")
    try:
        text = commented_file(folder_uri(source))
    except ValueError as error:
        raise Misconfigured(f"--source: {error}") from error
    path = settings.corpora / f"{name}.yaml"
    try:
        settings.corpora.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Misconfigured(f"{path}: exists already; edit it, or choose another name") from error
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be written ({error.strerror}); check NIGHTJAR_CORPORA") from error
    load_corpus(path, default_state=settings.state)
    return path


def with_questions(corpora: Corpora) -> Corpora:
    """The same, where a corpus whose golden questions cannot be read is a broken one."""
    valid: list[Corpus] = []
    broken = list(corpora.broken)
    for corpus in corpora.valid:
        try:
            golden_questions(corpus)
            valid.append(corpus)
        except Misconfigured as error:
            broken.append((Path(corpus.evaluation.questions or ""), error))
    return Corpora(tuple(valid), tuple(broken))


def report(corpora: Corpora) -> dict[str, object]:
    """What `validate --json` prints."""
    return {
        "format": 1,
        "ok": not corpora.broken,
        "valid": [_described(corpus) for corpus in corpora.valid],
        "broken": [{"file": str(path), "reason": str(error)} for path, error in corpora.broken],
    }


def _described(corpus: Corpus) -> dict[str, str | None]:
    return {"name": corpus.name, "source": corpus.source.uri, "state": corpus.state, "alias": corpus.alias}


def _lines(corpora: Corpora) -> list[str]:
    valid = [f"ok     {corpus.name}: {corpus.source.uri} → {corpus.alias}" for corpus in corpora.valid]
    return valid + [f"wrong  {error}" for _, error in corpora.broken]
