"""Boilerplate: a phrase of six words that many documents have tonight and had not before (banners, headers, refusals).

The figure is the largest rise of any phrase's share of documents, not the share of the most common phrase: a corpus
whose every page carries one footer would hide a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.stages.drift.findings import FAIL, Finding, shown
from nightjar.stages.drift.resample import Quiet, threshold
from nightjar.stages.drift.sides import Side

# Chinese and Japanese write no spaces: each of their characters counts as a word.
_WORD: Final = re.compile(r"[぀-ヿ㐀-鿿]|[^\W_]+")
_WORDS: Final = 6
_FLOOR: Final = 0.05
_SHOWN: Final = 80

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """Who says what: pairs of a document and a phrase, each once, as places."""

    documents: NDArray[np.intp]
    phrases: NDArray[np.intp]

    def shares(self, weights: NDArray[np.float64], *, phrases: int) -> NDArray[np.float64]:
        """Shape (phrases,): the share of documents that say each, with a weight a document."""
        counted = np.bincount(self.phrases, weights=weights[self.documents], minlength=phrases)
        shares: NDArray[np.float64] = counted / weights.sum()
        return shares


def repeated_phrase(live: Side, night: Side, quiet: Quiet) -> Finding:
    """The phrase that spread most.

    Statistic: the largest rise of any phrase's share of documents.
    Threshold: floor 0.05; mean + 3.5 sd of the largest rise in each resample.
    Source: measured, docs/drift.md (boilerplate).
    """
    vocabulary: dict[Phrase, int] = {}
    ours, theirs = _said(live, vocabulary), _said(night, vocabulary)
    number = max(len(vocabulary), 1)
    before = ours.shares(np.ones(len(live.documents)), phrases=number)
    rise = theirs.shares(np.ones(len(night.documents)), phrases=number) - before
    noise = np.array([(ours.shares(weights, phrases=number) - before).max() for weights in quiet.weights])
    top = int(rise.argmax())
    after = float(before[top] + rise[top])
    said = " ".join(next((phrase for phrase, place in vocabulary.items() if place == top), ()))[:_SHOWN]
    return Finding(
        *("phrase", float(rise[top]), threshold(noise, floor=_FLOOR), FAIL),
        f"documents that say “{said}” rose from {shown(float(before[top]))} to {shown(after)}",
        before=float(before[top]),
        after=after,
        carriers=frozenset(night.documents[place] for place in theirs.documents[theirs.phrases == top]),
    )


def _said(side: Side, vocabulary: dict[Phrase, int]) -> _Said:
    """The vocabulary grows by what the side says."""
    documents: list[int] = []
    phrases: list[int] = []
    for document, texts in enumerate(side.passages()):
        found = {vocabulary.setdefault(phrase, len(vocabulary)) for text in texts for phrase in _phrases(text)}
        documents += [document] * len(found)
        phrases += found
    return _Said(np.array(documents, np.intp), np.array(phrases, np.intp))


def _phrases(text: str) -> Iterator[Phrase]:
    words = _WORD.findall(text.casefold())
    return zip(*(words[place:] for place in range(_WORDS)), strict=False)
