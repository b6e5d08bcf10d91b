"""Any number of distinct documents of ordinary sentences, mixed from the retrieval sets; the same for the same seed."""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

import boto3
from corpora import BUCKET, files_below
from development_data import development_data

_SETS: Final = ("squad2", "nq", "covidqa", "medquad")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")
_WORDS: Final = range(6, 60)


@cache
def _sentences() -> tuple[str, ...]:
    texts = (
        path.read_text("utf-8", "replace")
        for name in _SETS
        for _, path in files_below(development_data(f"retrieval/{name}/corpus"))
    )
    each = (" ".join(sentence.split()) for text in texts for sentence in _SENTENCE.split(text))
    return tuple(sorted({sentence for sentence in each if len(sentence.split()) in _WORDS}))


def document(seed: str, *, words: int) -> str:
    """A heading and paragraphs of five sentences, of at least so many words; no two seeds say the same."""
    drawn = random.Random(seed)  # noqa: S311 - a script that can be repeated
    paragraphs, written = [f"# Document {seed}"], 0
    while written < words:
        paragraph = " ".join(drawn.sample(_sentences(), 5))
        paragraphs.append(paragraph)
        written += len(paragraph.split())
    return "\n\n".join(paragraphs) + "\n"


def put(prefix: str, seeds: dict[str, str], *, words: int) -> None:
    """Write documents below `prefix`: name → seed."""
    client = boto3.client("s3")

    def one(item: tuple[str, str]) -> None:
        name, seed = item
        client.put_object(Bucket=BUCKET, Key=f"{prefix}{name}", Body=document(seed, words=words).encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, seeds.items()))
