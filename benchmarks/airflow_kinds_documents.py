"""Eighty paragraphs of squad2, or twelve filings of sec10q, with their questions, and what nights do to the texts."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from corpora import BUCKET
from development_data import development_data
from drift import misread
from retrieval_offline import load

from nightjar.adapters.parser import sentences
from nightjar.model import Element, ParsedDocument

PREFIX: Final = "bench/kinds/"
QUESTIONS: Final = Path("expectations/questions/kinds.jsonl")
SETS: Final = development_data("retrieval")
SEEN: Final = "\n\nSeen again."
_COUNT: Final = 80

Documents = Mapping[str, str]
"""Text by name."""
Change = Callable[[Documents, random.Random], Documents]


def paragraphs(chance: random.Random) -> Documents:
    files = chance.sample(sorted((SETS / "squad2/corpus").iterdir()), _COUNT)
    return {file.name: file.read_text("utf-8") for file in files}


def filings(_chance: random.Random) -> Documents:
    """Quarterly reports that say the same under other titles, with the headings that the parser found."""
    sentences.install()
    documents = load(SETS / "sec10q", every=1).documents
    return {markdown_name(name): "\n\n".join(_markdown(name, parsed)) for name, parsed in documents.items()}


def markdown_name(name: str) -> str:
    return f"{Path(name).stem.replace(' ', '-')}.md"


def _markdown(name: str, document: ParsedDocument) -> Iterator[str]:
    yield f"# {Path(name).stem}: {document.title}"
    yield from map(_line, document.elements)


def _line(element: Element) -> str:
    text = " ".join(element.text.split())
    return f"## {text}" if element.kind == "Title" else text


def questions(documents: Documents) -> Iterator[dict[str, Any]]:
    """Those of squad2 or sec10q that these documents answer."""
    for name in ("squad2", "sec10q"):
        lines = (SETS / name / "queries.jsonl").read_text("utf-8").splitlines()
        asked, answers = {row["id"]: row["text"] for row in map(json.loads, lines)}, dict[str, list[str]]()
        for line in (SETS / name / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
            question, document, _ = line.split("\t")
            found = {document, markdown_name(document)} & documents.keys()
            answers.setdefault(question, []).extend(f"s3://{BUCKET}/{PREFIX}{each}" for each in found)
        yield from ({"question": asked[each], "relevant": found} for each, found in answers.items() if found)


def as_it_was(documents: Documents, _chance: random.Random) -> Documents:
    return documents


def hurt(damage: Callable[[str], str], *, share: float = 0.1) -> Change:
    """So much of the documents, drawn by chance."""
    return lambda documents, chance: {
        **documents,
        **{name: damage(documents[name]) for name in chance.sample(sorted(documents), int(share * len(documents)))},
    }


def edited(text: str) -> str:
    return text + SEEN


def unedited(documents: Documents, _chance: random.Random) -> Documents:
    return {name: text.removesuffix(SEEN) for name, text in documents.items()}


def half_misread(text: str) -> str:
    """Mostly too little for the quality gate to set the document aside."""
    return misread(text[: len(text) // 2]) + text[len(text) // 2 :]


def new_topic(source: Callable[[], Iterator[str]], *, share: float) -> Change:
    """Paragraphs of that source until they are so much of all text."""

    def added(documents: Documents, chance: random.Random) -> Documents:
        whole = [each for each in source() if 400 < len(each) < 1000 and each.endswith(".")]
        mean = sum(map(len, whole)) / len(whole)
        count = round(sum(map(len, documents.values())) * share / (1 - share) / mean)
        drawn = enumerate(chance.sample(whole, count))
        return {**documents, **{f"{source.__name__}-{n:02}.txt": text for n, text in drawn}}

    return added


def medicine() -> Iterator[str]:
    """Of articles about a virus; some of squad2's are about the immune system."""
    for path in sorted((SETS / "covidqa/corpus").iterdir()):
        yield from path.read_text("utf-8").split("\n\n")


def finance() -> Iterator[str]:
    """Of quarterly reports."""
    for text in filings(random.Random()).values():  # noqa: S311 - nothing is drawn
        yield from text.split("\n\n")


def new_language(documents: Documents, chance: random.Random) -> Documents:
    """German paragraphs, a twentieth of all documents."""
    files = chance.sample(sorted((SETS / "xquad/corpus/de").iterdir()), round(len(documents) / 19))
    return {**documents, **{f"german-{file.name}": file.read_text("utf-8") for file in files}}


def headless(text: str) -> str:
    """Without its title and headings."""
    return re.sub(r"^#+ .*\n+", "", text, flags=re.MULTILINE)


def swapped(documents: Documents, chance: random.Random) -> Documents:
    """Three tenths of them have the text of another."""
    names = chance.sample(sorted(documents), 3 * len(documents) // 10)
    return {**documents, **{name: documents[other] for name, other in zip(names, names[1:] + names[:1], strict=True)}}
