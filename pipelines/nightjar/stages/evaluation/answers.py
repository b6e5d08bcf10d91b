"""What a search found, as a ranking of documents: each by its best chunk, and whether that is what was wanted.

A ranking is made of units. A document that is wanted whole, or not at all, is one unit: its id. Of a document that is
wanted in part (a page, a passage) each wanted part is a unit, and any other chunk of it is the document's plain id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from nightjar.corpus.questions import GoldenQuestion, Relevant
from nightjar.model import DocumentId, Hit

DEPTH: Final = 100
"""Chunks that a search is asked for; the documents among them are the ranking."""
_SHOWN: Final = 5
_EXCERPT: Final = 240


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk as the report shows it; `excerpt` is document text of at most 240 characters, '' where none was kept."""

    document_id: str
    uri: str
    title: str
    page: int | None
    excerpt: str
    relevant: bool

    @classmethod
    def at(cls, place: Mapping[str, Any]) -> Self:
        """The reverse of `place`: without title and excerpt."""
        return cls(title="", excerpt="", **place)

    @property
    def place(self) -> dict[str, Any]:
        """What a version keeps of each of its questions: no word of a document."""
        return {name: getattr(self, name) for name in ("document_id", "uri", "page", "relevant")}


@dataclass(frozen=True, slots=True)
class Answer:
    """Units, best first, nothing twice; and the first chunks of as many units."""

    units: tuple[str, ...]
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """The questions that can be judged, and every (line, document as written) that the version does not know."""

    questions: tuple[GoldenQuestion, ...]
    unknown: tuple[tuple[int, str], ...]


def known(questions: Sequence[GoldenQuestion], documents: frozenset[DocumentId]) -> Known:
    """Questions with those of their answers whose document the version has, indexed or not.

    A document that left the source is nobody's regression; one that is there and was lost on the way is.
    """
    judged = (replace(each, relevant=tuple(r for r in each.relevant if r.document in documents)) for each in questions)
    unknown = ((each.line, r.named) for each in questions for r in each.relevant if r.document not in documents)
    return Known(tuple(each for each in judged if each.relevant), tuple(unknown))


def wanted(question: GoldenQuestion) -> frozenset[str]:
    """The units that answer a question."""
    return frozenset(_unit(place, each) for place, each in enumerate(question.relevant))


def answer(question: GoldenQuestion, hits: Sequence[Hit]) -> Answer:
    """The ranking that `hits` (best first) are."""
    due = wanted(question)
    units: dict[str, None] = {}
    found: list[Found] = []
    for hit in hits:
        fresh = [unit for unit in _units(question, hit.properties) if unit not in units]
        units |= dict.fromkeys(fresh)
        if fresh and len(found) < _SHOWN:
            found.append(_found(hit.properties, relevant=not due.isdisjoint(fresh)))
    return Answer(tuple(units), tuple(found))


def _units(question: GoldenQuestion, properties: Mapping[str, Any]) -> Iterator[str]:
    document = str(properties["document_id"])
    met = [
        _unit(place, each)
        for place, each in enumerate(question.relevant)
        if each.document == document and _is_met(each, properties)
    ]
    yield from met or [document]


def _unit(place: int, relevant: Relevant) -> str:
    return f"{relevant.document}#{place}" if relevant.narrowed else relevant.document


def _is_met(relevant: Relevant, properties: Mapping[str, Any]) -> bool:
    if relevant.page is not None and not _covers(properties, relevant.page):
        return False
    return relevant.passage is None or _overlap(_plain(relevant.passage), _plain(str(properties["text"] or "")))


def _covers(properties: Mapping[str, Any], page: int) -> bool:
    first = properties.get("page_first")
    return first is not None and first <= page <= (properties.get("page_last") or first)


def _overlap(passage: str, text: str) -> bool:
    """The chunk holds the passage, or is itself a part of a longer one."""
    return passage in text or (bool(text) and text in passage)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _found(properties: Mapping[str, Any], *, relevant: bool) -> Found:
    return Found(
        document_id=str(properties["document_id"]),
        uri=str(properties["source_uri"]),
        title=str(properties["title"] or ""),
        page=properties.get("page_first"),
        excerpt=_excerpt(" ".join(str(properties["text"] or "").split())),
        relevant=relevant,
    )


def _excerpt(text: str) -> str:
    """Cut between words; within one that is as long as all of it."""
    if len(text) <= _EXCERPT:
        return text
    kept = text[:_EXCERPT].rpartition(" ")[0] or text[: _EXCERPT - 1]
    return f"{kept}…"
