"""Ask what applications ask, the alias; or an earlier version, exactly, from its stored vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from nightjar.corpus import Corpus
from nightjar.errors import Misconfigured
from nightjar.flows.checkouts import read_checkout, standing_checkout
from nightjar.flows.objects import checkout, due_rows
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_live, read_version
from nightjar.model import FieldValue, Hit, IndexObject, Scalar
from nightjar.ports import Query
from nightjar.stages.exact import exact
from nightjar.stages.properties import compared, properties_of

MODES: Final = ("hybrid", "vector", "keyword")
_FLAGS: Final[Mapping[str, str]] = {"yes": "true", "no": "false"}

Where = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask; `where` are equalities, `acl` groups of which one must match (None: nothing is filtered)."""

    text: str
    mode: str = "hybrid"
    limit: int = 5
    where: Where | None = None
    acl: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, best first; `mode` is how they were found, `exact` says that no index was asked."""

    version: int
    mode: str
    exact: bool
    hits: tuple[Hit, ...]


def ask(services: Services, question: Question, *, version: int | None = None) -> Answer:
    """Ask the live index, or version number `version`.

    A version without a standing checkout is searched exactly, by vector, whatever mode was asked for.

    Raises:
        Misconfigured: nothing is live, the alias is another's, there is no such version, or this corpus's model is
            not the one that the index was made with.
    """
    if version is None:
        return _ask_alias(services, question)
    wanted = read_version(services.state, version)
    if not wanted.manifest:
        raise Misconfigured(f"version {version} is {wanted.state} and has no documents to search")
    if standing := standing_checkout(services, wanted, asked=0):
        return _ask_index(services, standing, question, wanted)
    refuse_other_model(services, wanted)
    return Answer(version, "vector", exact=True, hits=tuple(_exactly(services, question, wanted)))


def typed_where(corpus: Corpus, pairs: Iterable[tuple[str, str]]) -> Where:
    """Equalities as people write them, typed by the corpus's fields and the properties that every chunk has.

    Raises:
        Misconfigured: nothing can be filtered by that name, the value is not of its type, or a name stands twice.
    """
    declared = {each.name: each for each in properties_of(corpus.metadata.fields)}
    typed: dict[str, Scalar] = {}
    for name, value in pairs:
        if name in typed:
            raise Misconfigured(f"--where {name} stands twice, and nothing equals two values: keep one of them")
        is_flag = name in declared and declared[name].kind == "bool"
        typed[name] = compared(name, _FLAGS.get(value.lower(), value) if is_flag else value, declared)
    return typed


def refuse_other_model(services: Services, version: Version) -> None:
    """Questions must be embedded as the passages were.

    Raises:
        Misconfigured: they would not be.
    """
    made, ours = version.recipe_parts.get("embed", {}), services.recipe().embed
    if made.get("model") == ours["model"] and made.get("weights") == ours.get("weights"):
        return
    raise Misconfigured(
        f"version {version.number} was embedded with {made.get('model')} ({made.get('weights', '?')[:12]}), the corpus"
        f" file names {ours['model']} ({ours.get('weights', '?')[:12]}): run the corpus, or ask with --mode keyword"
    )


def _ask_alias(services: Services, question: Question) -> Answer:
    corpus, live = services.corpus, read_live(services.state)
    target = services.index.alias(corpus.alias)
    if live is None or target is None:
        raise Misconfigured(f"nothing is live: run it first with `nightjar run {corpus.name}`")
    if target == live.collection:
        return _ask_index(services, corpus.alias, question, read_version(services.state, live.version))
    entry = read_checkout(services.state, target)
    if entry is None or not entry.value.version:
        raise Misconfigured(
            f"the alias {corpus.alias} points at {target}, which no version of corpus {corpus.name} names:"
            f" choose another index.alias"
        )
    return _ask_index(services, corpus.alias, question, read_version(services.state, entry.value.version))


def _ask_index(services: Services, name: str, question: Question, version: Version) -> Answer:
    vector = None
    if question.mode != "keyword":
        refuse_other_model(services, version)
        vector = services.embedder().embed_query(question.text)
    query = Query(question.mode, question.text, vector, question.limit, question.where, question.acl)
    return Answer(version.number, question.mode, exact=False, hits=tuple(services.index.search(name, query)))


def _exactly(services: Services, question: Question, version: Version) -> list[Hit]:
    """The highest cosines with stored vectors of a version, of objects that the question's filters let pass."""
    asked = services.embedder().embed_query(question.text)
    due = _counted(services, checkout(services, due_rows(services, version)))
    allowed = (each for each in due if _passes(each, question))
    return exact(allowed, questions=asked[None], limit=question.limit)[0]


def _counted(services: Services, objects: Iterable[IndexObject]) -> Iterator[IndexObject]:
    for number, each in enumerate(objects, start=1):
        services.progress("search", number, 0)
        yield each


def _passes(each: IndexObject, question: Question) -> bool:
    groups = each.properties.get("acl") or ()
    if question.acl is not None and not (isinstance(groups, tuple) and set(groups) & set(question.acl)):
        return False
    return all(_equals(each.properties.get(name), value) for name, value in (question.where or {}).items())


def _equals(found: FieldValue | None, value: Scalar) -> bool:
    return value in found if isinstance(found, tuple) else found == value
