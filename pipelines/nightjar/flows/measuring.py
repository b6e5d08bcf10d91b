"""Ask all golden questions of one version, in every mode in which it can be searched, and score what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pyarrow.compute as pc

from nightjar.flows.checkouts import standing_checkout
from nightjar.flows.golden import Asked
from nightjar.flows.manifests import differing, load_manifest
from nightjar.flows.objects import checkout, due_rows
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.model import CollectionName, Hit
from nightjar.ports import Query
from nightjar.stages.evaluation.answers import DEPTH, answer, wanted
from nightjar.stages.evaluation.comparison import MODES, Scored, Side
from nightjar.stages.exact import exact, merged

_MOST: Final = 10_000
"""What an index gives out at once (Weaviate's QUERY_MAXIMUM_RESULTS)."""


def side_of(services: Services, version: Version, asked: Asked) -> tuple[Side, str]:
    """The version's scores, and how they were measured: by `index` in all modes, else by `exact` vector search."""
    standing = standing_checkout(services, version)
    if standing is None:
        return exact_side(services, version, asked), "exact"
    return index_side(services, standing, asked), "index"


def index_side(services: Services, name: CollectionName, asked: Asked, modes: Sequence[str] = MODES) -> Side:
    """A collection's scores."""
    return {mode: _scored(services, asked, _searched(services, name, asked, mode)) for mode in modes}


def exact_side(services: Services, version: Version, asked: Asked) -> Side:
    """A version's scores by vector, from its stored vectors alone."""
    hits = exact(checkout(services, due_rows(services, version)), questions=asked.vectors, limit=_depth(services))
    return {"vector": _scored(services, asked, hits)}


def overlay_side(services: Services, name: CollectionName, before: Version, target: Version, asked: Asked) -> Side:
    """What vector search will find once `target` is written over `before`: nothing is written for it.

    Hits of the collection without the documents that differ, and exact scores of what those become.
    """
    rows = due_rows(services, target)
    touched = differing(load_manifest(services.state, before.manifest), rows)
    due = rows.filter(pc.is_in(rows["document_id"], touched))
    limit = _depth(services)
    staged = exact(checkout(services, due), questions=asked.vectors, limit=limit)
    replaced = frozenset(touched.to_pylist())
    kept = (_without(services, name, query, replaced) for query in _queries(asked, "vector", limit))
    hits = (merged(standing, fresh, limit=limit) for standing, fresh in zip(kept, staged, strict=True))
    return {"vector": _scored(services, asked, hits)}


def _without(services: Services, name: CollectionName, query: Query, replaced: frozenset[str]) -> list[Hit]:
    """The best hits of documents that stay; asked for more while too many of those found go."""
    limit = query.limit
    while True:
        asked = Query(query.mode, query.text, query.vector, limit)
        hits = services.index.search(name, asked)
        staying = [hit for hit in hits if hit.properties["document_id"] not in replaced]
        if len(staying) >= query.limit or len(hits) < limit or limit >= _MOST:
            return staying[: query.limit]
        limit = min(4 * limit, _MOST)


def _searched(services: Services, name: CollectionName, asked: Asked, mode: str) -> Iterator[list[Hit]]:
    for place, query in enumerate(_queries(asked, mode, _depth(services)), start=1):
        yield services.index.search(name, query)
        services.progress(f"ask by {mode}", place, len(asked.questions))


def _queries(asked: Asked, mode: str, limit: int) -> Iterator[Query]:
    for question, vector in zip(asked.questions, asked.vectors, strict=True):
        yield Query(mode, question.text, None if mode == "keyword" else vector, limit)


def _depth(services: Services) -> int:
    return max(DEPTH, services.corpus.evaluation.k)


def _scored(services: Services, asked: Asked, hits: Iterable[Sequence[Hit]]) -> tuple[Scored, ...]:
    answers = [answer(question, found) for question, found in zip(asked.questions, hits, strict=True)]
    due, rankings = [wanted(each) for each in asked.questions], [each.units for each in answers]
    scores = services.scorer.score(due, rankings, k=services.corpus.evaluation.k)
    return tuple(Scored(dict(told), each.found) for told, each in zip(scores, answers, strict=True))
