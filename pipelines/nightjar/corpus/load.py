"""From corpus files to corpora: each file by itself, then all of them against each other."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from nightjar.corpus.model import Corpus
from nightjar.corpus.places import place_of
from nightjar.corpus.policy import SHIPPED_SUITES
from nightjar.corpus.problems import explained
from nightjar.corpus.reading import read_yaml
from nightjar.errors import Misconfigured

SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Corpora:
    """A folder of corpus files: those that may run, and those that may not, each with its reason."""

    valid: tuple[Corpus, ...]
    broken: tuple[tuple[Path, Misconfigured], ...]
    paths: tuple[Path, ...] = ()
    """Where each of `valid` was read from, in the same order."""


def load_corpus(path: Path, *, default_state: str | None) -> Corpus:
    """One file, every default filled in; a corpus without `state` gets `default_state`/<name>/.

    Raises:
        Misconfigured: names the file, the line, the key, the reason and the remedy.
    """
    written = read_yaml(path)
    values = written.values
    name = values.setdefault("name", path.stem)
    if values.get("state") is None and default_state is not None:
        values["state"] = f"{default_state.rstrip('/')}/{name}/"
    _anchor_suites(values, path.parent)
    _anchor_questions(values, path.parent)
    try:
        return Corpus.model_validate(values)
    except ValidationError as error:
        raise explained(error, written) from error


def load_corpora(folder: Path, *, default_state: str | None) -> Corpora:
    """Every corpus file of a folder, by file name; one that is wrong harms no other.

    Two that would share an alias or state are told apart by their order: the later file is the broken one.

    Raises:
        Misconfigured: there is no such folder.
    """
    if not folder.is_dir():
        raise Misconfigured(f"{folder}: no such folder of corpus files; set NIGHTJAR_CORPORA or create it")
    accepted: list[tuple[Path, Corpus]] = []
    broken: list[tuple[Path, Misconfigured]] = []
    for path in sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith(".")):
        try:
            corpus = load_corpus(path, default_state=default_state)
            refuse_clash(corpus, path=path, others=accepted)
        except Misconfigured as error:
            broken.append((path, error))
        else:
            accepted.append((path, corpus))
    return Corpora(tuple(c for _, c in accepted), tuple(broken), tuple(p for p, _ in accepted))


def find_corpus(name_or_path: str, *, folder: Path, default_state: str | None) -> Corpus:
    """The corpus of a name in `folder`, or of a path to a corpus file.

    Raises:
        Misconfigured: no such corpus (the known ones are named), or its file is wrong.
    """
    path = Path(name_or_path)
    if path.suffix in SUFFIXES or "/" in name_or_path:
        corpus = load_corpus(path, default_state=default_state)
        if folder.is_dir():
            _refuse_clash_with_folder(corpus, path=path, folder=folder, default_state=default_state)
        return corpus
    corpora = load_corpora(folder, default_state=default_state)
    found = next((corpus for corpus in corpora.valid if corpus.name == name_or_path), None)
    if found is not None:
        return found
    error = next((error for path, error in corpora.broken if path.stem == name_or_path), None)
    raise error or Misconfigured(_no_such(name_or_path, [c.name for c in corpora.valid], folder))


def _refuse_clash_with_folder(corpus: Corpus, *, path: Path, folder: Path, default_state: str | None) -> None:
    """A file from elsewhere may be a draft of a corpus in `folder`, by its name; it takes nothing from the others."""
    corpora = load_corpora(folder, default_state=default_state)
    others = zip(corpora.paths, corpora.valid, strict=True)
    refuse_clash(corpus, path=path, others=((at, other) for at, other in others if other.name != corpus.name))


def refuse_clash(corpus: Corpus, *, path: Path, others: Iterable[tuple[Path, Corpus]]) -> None:
    """Compare one corpus with those that were accepted before it.

    Raises:
        Misconfigured: both would be one DAG, one alias or one state, or one's state would be the other's documents.
    """
    for other_path, other in others:
        clash = _clash(corpus, other)
        if clash is not None:
            raise Misconfigured(f"{path.name}: {clash[0]}: {clash[1]} {other_path.name}; {clash[2]}")


def _clash(corpus: Corpus, other: Corpus) -> tuple[str, str, str] | None:
    """Key, reason and remedy of the first clash."""
    if corpus.name == other.name:
        return "name", f"{corpus.name!r} is also the name in", "give each corpus its own"
    if corpus.alias.casefold() == other.alias.casefold():  # Weaviate's folders do not tell cases apart
        return "index.alias", f"{corpus.alias!r} is also the alias of", "give each corpus its own"
    if corpus.state is not None and other.state is not None and place_of(corpus.state).overlaps(place_of(other.state)):
        return "state", f"{corpus.state} overlaps the state of", "give each corpus a folder of its own"
    if corpus.state is not None and place_of(corpus.state).overlaps(place_of(other.source.uri)):
        return "state", f"{corpus.state} and the documents lie in each other in", "move the state elsewhere"
    if other.state is not None and place_of(other.state).overlaps(place_of(corpus.source.uri)):
        return "source.uri", f"{corpus.source.uri} and the state lie in each other in", "move one of them elsewhere"
    return None


def _anchor_suites(values: dict[str, Any], folder: Path) -> None:
    """A relative folder of suites counts from the corpus file, wherever the worker happens to stand."""
    quality = values.get("quality")
    suites = quality.get("suites", SHIPPED_SUITES) if isinstance(quality, dict) else SHIPPED_SUITES
    if isinstance(quality, dict) and isinstance(suites, str) and suites != SHIPPED_SUITES:
        values["quality"] = {**quality, "suites": str((folder / suites).resolve())}


def _anchor_questions(values: dict[str, Any], folder: Path) -> None:
    """A path of golden questions counts from the corpus file; a bare name lies beside the suites."""
    evaluation = values.get("evaluation")
    questions = evaluation.get("questions") if isinstance(evaluation, dict) else None
    if isinstance(evaluation, dict) and isinstance(questions, str) and "/" in questions:
        values["evaluation"] = {**evaluation, "questions": str((folder / questions).resolve())}


def _no_such(name: str, known: list[str], folder: Path) -> str:
    alike = difflib.get_close_matches(name, known, n=1)
    guess = f"did you mean {alike[0]}?" if alike else f"{folder} holds {', '.join(known) or 'none'}"
    return f"{name}: no such corpus; {guess}"
