"""Drafts of golden questions from what documents are about: headings and first sentences, for a person to accept.

A draft is a known-item search: its answer is the document that it was made from. It asks in the document's own words,
which is easier than people ask; rephrase it before it is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from nightjar.model import Chunk, sha256

_SENTENCE: Final = re.compile(r"(.{20,200}?[.!?])(?:\s|$)", re.DOTALL)
_LONGEST_HEADING: Final = 100


def draft(title: str, chunks: Sequence[Chunk], *, seed: str) -> str | None:
    """One question about a document, the same for the same `seed`; None where nothing in it makes one.

    A heading that asks is taken as it is; another is asked about; without headings a sentence is looked for.
    """
    if not chunks:
        return None
    chosen = chunks[int(sha256(seed), 16) % len(chunks)]
    heading = _plain(chosen.heading_path[-1]) if chosen.heading_path else ""
    if 0 < len(heading) <= _LONGEST_HEADING and heading.casefold() != title.casefold():
        return heading if heading.endswith("?") else f"What does {title} say about {heading}?"
    found = _SENTENCE.match(_plain(chosen.text))
    return found[1] if found else None


def _plain(text: str) -> str:
    return " ".join(text.split())
