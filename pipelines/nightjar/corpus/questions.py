"""Golden questions: one JSON object a line, read strictly, so that a slip is found before a night depends on it.

    {"question": "Who approves a purchase?", "relevant": ["s3://documents/handbook/finance/purchasing.md"]}
    {"question": "What does a hotel in Zurich cost?", "relevant": [{"document": "s3://…/travel.pdf", "page": 2}]}

`document` is a source uri or a document id. With a `page`, or with a `passage` (words that stand there, white space
and case aside), only chunks of that page or with those words answer the question.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nightjar.corpus.model import Corpus
from nightjar.corpus.policy import SHIPPED_SUITES
from nightjar.corpus.shipped import shipped_suites
from nightjar.errors import Misconfigured, bounded
from nightjar.model import DocumentId, document_id_of, sha256

_LARGEST: Final = 8 * 2**20
_LONGEST: Final = 2_000
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_FOLDER: Final = "questions"


@dataclass(frozen=True, slots=True)
class Relevant:
    """One answer: a document, or only those of its chunks that cover `page` or hold `passage`; `named` as written."""

    document: DocumentId
    named: str
    page: int | None = None
    passage: str | None = None

    @property
    def narrowed(self) -> bool:
        """Not every chunk of the document will do."""
        return self.page is not None or self.passage is not None


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question whose answers are known; `line` counts from 1."""

    text: str
    relevant: tuple[Relevant, ...]
    line: int


@dataclass(frozen=True, slots=True)
class GoldenQuestions:
    """A whole file; `digest` changes when a score could."""

    questions: tuple[GoldenQuestion, ...]
    digest: str


def golden_questions(corpus: Corpus) -> GoldenQuestions | None:
    """The corpus's questions; None where its file names none.

    Raises:
        Misconfigured: names the file, the line, the reason and the remedy.
    """
    path = questions_path(corpus)
    return None if path is None else read_questions(path, source=corpus.source.uri)


def why_none(corpus: Corpus) -> str:
    """The sentence for a corpus without questions, with the remedy."""
    return (
        f"{corpus.name} has no golden questions: name a file of them as evaluation.questions in the corpus file;"
        f" `nightjar questions suggest {corpus.name}` drafts some"
    )


def questions_path(corpus: Corpus) -> Path | None:
    """A bare name lies in `questions/` beside the corpus's suites; anything else was anchored when it was loaded."""
    named = corpus.evaluation.questions
    if named is None:
        return None
    suites = corpus.quality.suites
    return (shipped_suites() if suites == SHIPPED_SUITES else Path(suites)) / _FOLDER / named


def read_questions(path: Path, *, source: str) -> GoldenQuestions:
    """Every line of the file; documents must lie below `source`, the corpus's source.uri.

    Raises:
        Misconfigured: as it says.
    """
    data = _bytes(path)
    found: dict[str, GoldenQuestion] = {}
    for number, line in enumerate(_text(data, path).split("\n"), start=1):
        if line.strip():
            one = _Line(path.name, number, source).question(line)
            if (first := found.setdefault(" ".join(one.text.split()).casefold(), one)) is not one:
                raise Misconfigured(f"{path.name}:{number}: asks what line {first.line} asks already; remove one")
    if not found:
        raise Misconfigured(f"{path.name}: holds no question; add one a line, or remove evaluation.questions")
    return GoldenQuestions(tuple(found.values()), sha256(data)[:16])


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"{path}: cannot be read ({error.strerror}); create it (`nightjar questions suggest` drafts some), or "
            f"correct evaluation.questions: a name in expectations/questions/, or ./a/path from the corpus file"
        ) from error
    if len(data) > _LARGEST:
        raise Misconfigured(f"{path.name}: is larger than {_LARGEST // 2**20} MiB; keep some thousand questions")
    return data


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Misconfigured(f"{path.name}:{line}: is not UTF-8; save the file as UTF-8") from error


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a question stands, for what is said about it."""

    file: str
    number: int
    source: str

    def question(self, written: str) -> GoldenQuestion:
        values = self._mapping(written)
        self._refuse_unknown(values, ("question", "relevant"), "")
        asked = values.get("question")
        if not isinstance(asked, str) or not 0 < len(asked.strip()) <= _LONGEST:
            raise self._wrong("question", f"must be a text of 1 to {_LONGEST} characters")
        entries = values.get("relevant")
        if not isinstance(entries, list) or not entries:
            raise self._wrong("relevant", "must be a list of at least one source uri or document id")
        relevant = tuple(self._relevant(entry, place) for place, entry in enumerate(entries))
        for repeated in _repeated(relevant):
            raise self._wrong("relevant", f"names {bounded(repeated, limit=200)} twice; name it once, or each page")
        return GoldenQuestion(asked.strip(), relevant, self.number)

    def _mapping(self, written: str) -> dict[str, Any]:
        try:
            values = json.loads(written)
        except (ValueError, RecursionError) as error:
            raise self._wrong("", f"is not JSON ({bounded(str(error), limit=80)}); write one object a line") from error
        if not isinstance(values, dict):
            raise self._wrong("", 'must be an object: {"question": "…", "relevant": ["s3://…"]}')
        return values

    def _relevant(self, entry: object, place: int) -> Relevant:
        key = f"relevant[{place}]"
        values = entry if isinstance(entry, dict) else {"document": entry}
        self._refuse_unknown(values, ("document", "page", "passage"), f"{key}.")
        named, page, passage = values.get("document"), values.get("page"), values.get("passage")
        if not isinstance(named, str):
            raise self._wrong(key, 'must be a source uri or document id, or {"document": "…", "page": 2}')
        if page is not None and (not isinstance(page, int) or isinstance(page, bool) or page < 1):
            raise self._wrong(f"{key}.page", "must be a whole number from 1")
        if passage is not None and (not isinstance(passage, str) or not passage.strip()):
            raise self._wrong(f"{key}.passage", "must be words that stand in the document; else remove it")
        return Relevant(self._document(named, key), named, page, passage)

    def _document(self, named: str, key: str) -> DocumentId:
        if _ID.fullmatch(named):
            return DocumentId(named)
        if named.startswith(self.source) and named != self.source:
            return document_id_of(named)
        shown = bounded(repr(named), limit=120)
        raise self._wrong(key, f"{shown} is neither a document id nor below {self.source}; write the whole uri")

    def _refuse_unknown(self, values: dict[str, Any], known: tuple[str, ...], before: str) -> None:
        for name in values:
            if name not in known:
                alike = difflib.get_close_matches(name, known, n=1)
                remedy = f"did you mean {alike[0]}?" if alike else f"keys are {', '.join(known)}"
                raise self._wrong(before + bounded(name, limit=60), f"unknown key; {remedy}")

    def _wrong(self, key: str, what: str) -> Misconfigured:
        place = f"{self.file}:{self.number}:"
        return Misconfigured(f"{place} {key}: {what}" if key else f"{place} {what}")


def _repeated(relevant: tuple[Relevant, ...]) -> Iterator[str]:
    """Documents that are named twice alike, or once whole and once in part."""
    seen: dict[DocumentId, list[Relevant]] = {}
    for each in relevant:
        others = seen.setdefault(each.document, [])
        alike = any((other.page, other.passage) == (each.page, each.passage) for other in others)
        if alike or (others and not all(other.narrowed for other in (*others, each))):
            yield each.named
        others.append(each)
