"""Eighty paragraphs of squad2 with their questions, and what nights do to the texts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from corpora import BUCKET, DATA
from drift import misread

PREFIX: Final = "bench/kinds/"
QUESTIONS: Final = Path("expectations/questions/kinds.jsonl")
SETS: Final = DATA / "retrieval"
_COUNT: Final = 80

Documents = Mapping[str, str]
"""Text by name."""
Change = Callable[[Documents, random.Random], Documents]


def first_documents(chance: random.Random) -> Documents:
    files = chance.sample(sorted((SETS / "squad2/corpus").iterdir()), _COUNT)
    return {file.name: file.read_text("utf-8") for file in files}


def questions(documents: Documents) -> Iterator[dict[str, Any]]:
    """Those of squad2 that these documents answer."""
    lines = (SETS / "squad2/queries.jsonl").read_text("utf-8").splitlines()
    asked = {row["id"]: row["text"] for row in map(json.loads, lines)}
    for line in (SETS / "squad2/qrels.tsv").read_text("utf-8").splitlines()[1:]:
        question, document, _ = line.split("\t")
        if document in documents:
            yield {"question": asked[question], "relevant": [f"s3://{BUCKET}/{PREFIX}{document}"]}


def as_it_was(documents: Documents, _chance: random.Random) -> Documents:
    return documents


def hurt(damage: Callable[[str], str], *, share: float = 0.1) -> Change:
    """So much of the documents, drawn by chance."""
    return lambda documents, chance: {
        **documents,
        **{name: damage(documents[name]) for name in chance.sample(sorted(documents), int(share * len(documents)))},
    }


def edited(text: str) -> str:
    return f"{text}\n\nSeen again."


def half_misread(text: str) -> str:
    """Mostly too little for the quality gate to set the document aside."""
    return misread(text[: len(text) // 2]) + text[len(text) // 2 :]


def new_topic(documents: Documents, chance: random.Random) -> Documents:
    """Paragraphs of medical articles until they are a fifth of all text."""
    articles = [path.read_text("utf-8") for path in sorted((SETS / "covidqa/corpus").iterdir())]
    paragraphs = [each for article in articles for each in article.split("\n\n")]
    whole = [each for each in paragraphs if 400 < len(each) < 1000 and each.endswith(".")]
    mean = sum(map(len, whole)) / len(whole)
    count = round(sum(map(len, documents.values())) / 4 / mean)
    return {**documents, **{f"topic-{n:02}.txt": text for n, text in enumerate(chance.sample(whole, count))}}


def new_language(documents: Documents, chance: random.Random) -> Documents:
    """German paragraphs, a twentieth of all documents."""
    files = chance.sample(sorted((SETS / "xquad/corpus/de").iterdir()), round(len(documents) / 19))
    return {**documents, **{f"german-{file.name}": file.read_text("utf-8") for file in files}}


def swapped(documents: Documents, chance: random.Random) -> Documents:
    """Three tenths of them have the text of another."""
    names = chance.sample(sorted(documents), 3 * len(documents) // 10)
    return {**documents, **{name: documents[other] for name, other in zip(names, names[1:] + names[:1], strict=True)}}
