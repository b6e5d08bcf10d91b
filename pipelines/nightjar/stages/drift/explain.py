"""Why a verdict is what it is: what both sides talk about, which of it grew, and which documents brought it.

Nothing here decides. Clusters over both sides together: one with a high lift (its share now by its share before) is
what a night brought; its terms, excerpts and documents say what that is.
"""

from __future__ import annotations

import math
import re
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.imports import postponed
from nightjar.stages.drift.embeddings import Novelty
from nightjar.stages.drift.findings import FAIL, NONE, STATES, Finding
from nightjar.stages.drift.sides import Side

_CLUSTERS: Final = 12
_CHUNKS_A_CLUSTER: Final = 15
_ROUNDS: Final = 30
_SEED: Final = 20_240_304
_SMOOTHING: Final = 0.002
_SHOWN: Final = 4
_TERMS: Final = 8
_EXCERPTS: Final = 2
_DOCUMENTS: Final = 3
_LENGTH: Final = 280
_CONTRIBUTORS: Final = 20
_DOTS: Final = 500
_TERM: Final = re.compile(r"[^\W\d_]{3,30}")

Dots = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Passages that resemble each other: shares of both sides, and what they say.

    `documents` are source uris: of tonight's, and `gone` where it shrank, of live ones that left or changed.
    """

    before: float
    after: float
    lift: float
    terms: tuple[str, ...]
    excerpts: tuple[str, ...]
    documents: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contributor:
    """A document that is new or changed tonight: novel ones of its sampled passages, and its damage (`texts`).

    `moved` are the detectors that moved by what it carries, those that fail first.
    """

    source_uri: str
    title: str
    passages: int
    novel: int
    damage: float
    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Both sides on their two widest axes, shapes (dots, 2): live, of tonight, and what resembles nothing live."""

    live: Dots
    night: Dots
    novel: Dots


def clusters(live: Side, night: Side, *, labels: NDArray[np.intp] | None = None) -> list[Cluster]:
    """Clusters by how much they grew, those that moved most first; `labels` are for all chunks, live ones first."""
    found = _labelled(live, night) if labels is None else labels
    ours, theirs = found[: len(live.texts)], found[len(live.texts) :]
    number = int(found.max()) + 1
    before = np.bincount(ours, minlength=number) / len(ours)
    after = np.bincount(theirs, minlength=number) / len(theirs)
    order = np.argsort(-np.abs(after - before))[:_SHOWN]
    texts = [*live.texts, *night.texts]
    terms = _terms(texts, found, number)
    left = np.isin(live.owner, live.unlike(night))
    return [
        Cluster(
            before=float(before[each]),
            after=float(after[each]),
            lift=float((after[each] + _SMOOTHING) / (before[each] + _SMOOTHING)),
            terms=terms[each],
            excerpts=_excerpts(night, theirs == each) or _excerpts(live, ours == each),
            documents=_documents(night, np.flatnonzero(theirs == each)),
            gone=_documents(live, np.flatnonzero((ours == each) & left)) if after[each] < before[each] else (),
        )
        for each in order
    ]


def contributors(
    live: Side, night: Side, findings: Sequence[Finding], novel: Novelty | None, damage: NDArray[np.float64]
) -> list[Contributor]:
    """New and changed documents of the sample: first those that carry most of what fails, then of what warns.

    Among equals, the one with more novel passages and damage comes first.
    """
    moved = sorted((each for each in findings if each.state != NONE), key=lambda each: -STATES.index(each.state))
    fails = {each.detector for each in moved if each.state == FAIL}
    counts = night.chunks
    strange = night.summed(novel.novel.astype(float)[:, None])[:, 0] if novel else np.zeros(len(counts))
    made = [
        Contributor(
            *(night.uris[place], night.titles[place], int(counts[place]), int(strange[place]), float(damage[place])),
            moved=tuple(each.detector for each in moved if night.documents[place] in each.carriers),
        )
        for place in night.unlike(live)
    ]
    return sorted(made, key=lambda each: _rank(each, fails))[:_CONTRIBUTORS]


def _rank(each: Contributor, fails: Collection[str]) -> tuple[int, int, float, str]:
    """The least comes first."""
    failed = sum(name in fails for name in each.moved)
    strange = each.novel / max(each.passages, 1) + each.damage
    return -failed, failed - len(each.moved), -strange, each.source_uri


def projection(live: Side, night: Side, novel: Novelty) -> Projection:
    """Principal axes of both sides together; at most so many dots of a kind, evenly taken."""
    together = np.concatenate([live.vectors, night.vectors]).astype(np.float64)
    together -= together.mean(axis=0)
    _, axes = np.linalg.eigh(together.T @ together)
    flat = together @ axes[:, -2:][:, ::-1]
    ours, theirs = flat[: len(live.vectors)], flat[len(live.vectors) :]
    return Projection(_thinned(ours), _thinned(theirs[~novel.novel]), _thinned(theirs[novel.novel]))


def _labelled(live: Side, night: Side) -> NDArray[np.intp]:
    """Shape (chunks of both,): the cluster of each, by k-means from well separated beginnings.

    There are never more clusters than distinct vectors, so that each has a beginning of its own.
    """
    with postponed("scipy.cluster.hierarchy", "scipy.spatial.transform"):
        from scipy.cluster.vq import kmeans2  # noqa: PLC0415 - a fifth of a second, and most steps explain nothing

    together = np.concatenate([live.vectors, night.vectors])
    distinct = len({vector.tobytes() for vector in together})
    number = min(max(2, min(_CLUSTERS, len(together) // _CHUNKS_A_CLUSTER)), distinct)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cluster that loses its last passage keeps its place
        labels = kmeans2(together, number, iter=_ROUNDS, minit="++", rng=np.random.default_rng(_SEED))[1]
    found: NDArray[np.intp] = labels.astype(np.intp)
    return found


def _terms(texts: Sequence[str], labels: NDArray[np.intp], number: int) -> list[tuple[str, ...]]:
    """Words that a cluster's passages have more often than all passages: share times logarithm of the lift."""
    counts = [Counter[str]() for _ in range(number)]
    for text, label in zip(texts, labels, strict=True):
        counts[label].update(set(_TERM.findall(text.casefold())))
    total = sum(counts, Counter[str]())
    sizes = np.bincount(labels, minlength=number)
    return [_distinctive(words, total, int(size), len(texts)) for words, size in zip(counts, sizes, strict=True)]


def _distinctive(words: Counter[str], total: Counter[str], size: int, everything: int) -> tuple[str, ...]:
    def weight(word: str) -> float:
        share, usual = words[word] / size, total[word] / everything
        return share * math.log(share / usual)

    return tuple(sorted(words, key=lambda word: (-weight(word), word))[:_TERMS])


def _excerpts(side: Side, inside: NDArray[np.bool_]) -> tuple[str, ...]:
    """The passages nearest to the middle, cut; none where the side has none."""
    members = np.flatnonzero(inside)
    middle = side.vectors[members].sum(axis=0)
    nearest = members[np.argsort(-(side.vectors[members] @ middle))][:_EXCERPTS]
    return tuple(side.texts[place][:_LENGTH] for place in nearest)


def _documents(side: Side, members: NDArray[np.intp]) -> tuple[str, ...]:
    counted = Counter(int(place) for place in side.owner[members])
    return tuple(side.uris[place] for place, _ in counted.most_common(_DOCUMENTS))


def _thinned(dots: Dots) -> Dots:
    if len(dots) <= _DOTS:
        return dots
    thinned: Dots = dots[np.linspace(0, len(dots) - 1, _DOTS).astype(int)]
    return thinned
