"""What `make demo` says about a night: facts from the command line's JSON, a line each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def print_night(run: Mapping[str, Any]) -> None:
    """What was read, chunked and embedded."""
    documents, chunks = run["documents"], run["chunks"]
    counted = ", ".join(f"{documents[kind]} {kind}" for kind in ("added", "changed", "deleted", "renamed", "unchanged"))
    print(f"  version {run['version']} is {run['state']}; quarantined {documents['quarantined']}")
    print(f"  documents  {counted}")
    print(
        f"  chunks     {chunks['total']} in all, {chunks['embedded']} embedded, {chunks['reused']} reused, "
        f"{chunks['truncated_tokens']} tokens cut off"
    )


def print_quarantine(answer: Mapping[str, Any]) -> None:
    """Which documents were set aside, and why."""
    for document in answer["documents"]:
        print(f"  set aside  {document['source_uri']}: {document['code']}, {document['reason']}")


def print_served(answer: Mapping[str, Any]) -> None:
    """What people who search see."""
    live = next(version for version in answer["versions"] if version["number"] == answer["live"])
    print(f"  served     {live['collection']}: {live['documents']} documents, {live['chunks']} chunks")


def print_answer(question: str, answer: Mapping[str, Any]) -> None:
    """The best hit, with where it stands."""
    hit = answer["hits"][0]
    page = f", page {hit['page']}" if hit["page"] is not None else ""
    print(f"  question   {question}")
    print(f"  answer     {telling(hit['text'], question)}")
    print(f"  source     {hit['source_uri']}{page} (version {answer['version']})")


def telling(text: str, question: str) -> str:
    """The sentence of a hit that shares most words with the question, and the one after it: a chunk is long."""
    asked = set(re.findall(r"\w+", question.lower()))
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))
    shared = [len(asked & set(re.findall(r"\w+", sentence.lower()))) for sentence in sentences]
    best = shared.index(max(shared))
    return " ".join(sentences[best : best + 2])


def title(line: str) -> None:
    """A heading on the terminal."""
    print(f"\n== {line}", flush=True)
