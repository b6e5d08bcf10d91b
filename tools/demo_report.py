"""What `make demo` says about a night: facts from the command line's JSON, a line each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def print_night(run: Mapping[str, Any], versions: Mapping[str, Any]) -> None:
    """What the night read and made, and what people who search see of it."""
    documents, chunks = run["documents"], run["chunks"]
    served = next(version for version in versions["versions"] if version["number"] == versions["live"])
    kept = chunks["total"] - chunks["embedded"]
    counted = ", ".join(f"{documents[kind]} {kind}" for kind in ("added", "changed", "renamed", "deleted", "unchanged"))
    print(f"  documents   {counted}; {run['parsed']} parsed anew")
    print(f"  chunks      {chunks['embedded']} embedded, {kept} keep the vectors that they had")
    print(
        f"  served      {_many(served['documents'], 'document')} in {_many(served['chunks'], 'chunk')}, "
        f"none cut off, as version {served['number']} in the collection {served['collection']}"
    )


def print_quarantine(answer: Mapping[str, Any], *, below: str) -> None:
    """Which documents are not served, and why; `below` is the part of their addresses that all share."""
    for document in answer["documents"]:
        key = document["source_uri"].removeprefix(below)
        print(f"  quarantine  {key} ({document['code']}): {document['reason']}")


def print_answer(question: str, answer: Mapping[str, Any]) -> None:
    """The best hit, with where it stands."""
    hit = answer["hits"][0]
    page = f", page {hit['page']}" if hit["page"] is not None else ""
    print(f"  question    {question}")
    print(f"  answer      {telling(hit['text'], question)}")
    print(f"  source      {hit['source_uri']}{page}, found by {answer['mode']} search in version {answer['version']}")


def telling(text: str, question: str) -> str:
    """The sentence of a hit that shares most words with the question, and the one after it: a chunk is long."""
    asked = _words(question)
    lines = [re.split(r"(?<=[.!?])\s+", line.strip()) for line in text.splitlines()]
    passages = [" ".join(line[start : start + 2]) for line in lines for start in range(len(line))]
    firsts = [sentence for line in lines for sentence in line]
    shared = [len(asked & _words(first)) for first in firsts]
    return passages[shared.index(max(shared))]


def _words(text: str) -> set[str]:
    """Long ones: short ones are in every sentence."""
    return set(re.findall(r"\w{4,}", text.lower()))


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def title(line: str) -> None:
    """A heading on the terminal."""
    print(f"\n== {line}", flush=True)
