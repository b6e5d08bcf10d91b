"""Prove that a collection is a version's checkout: count, sample both ways, compare vectors, ask the graph."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import Transient
from nightjar.flows.checkouts import read_checkout
from nightjar.flows.graph import damage
from nightjar.flows.objects import checkout, due_rows
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.ports import Query
from nightjar.stages.nearest import Nearest

_SAMPLE_DOCUMENTS: Final = 50
_OBJECTS_A_DOCUMENT: Final = 40
_SAMPLE_OBJECTS: Final = 200
# A probe's ten nearest, found by the graph and by exact search, must overlap at least this much on average.
_LEAST_RECALL: Final = 0.8


class NotTheCheckout(Transient):
    """The collection does not hold what was confirmed; seen once, it may be a replica that lags: try again."""


def verify_checkout(
    services: Services,
    name: CollectionName,
    version: Version,
    *,
    written: Sequence[ChunkId] | None = None,
    documents: int = _SAMPLE_DOCUMENTS,
) -> Mapping[str, float]:
    """Figures of the proof: objects checked, and recall.

    Args:
        services: the corpus's doors.
        name: the collection.
        version: what it should hold.
        written: ids that a delta made sure of, newest last; None: it was filled whole, and the graph is asked what
            was kept then.
        documents: how many are compared, chunk by chunk.

    Raises:
        NotTheCheckout: as it says.
    """
    if name not in services.index.collections():
        raise NotTheCheckout(f"collection {name} is gone")
    count, due = services.index.count(name), version.counts["chunks"]
    if count != due:
        raise NotTheCheckout(f"collection {name} holds {count} objects where version {version.number} has {due}")
    rows = due_rows(services, version)
    checked = _verify_forward(services, name, rows, documents=documents, seed=version.checkout)
    _verify_backward(services, name, rows)
    recall = _recall_of_probes(services, name) if written is None else 1.0
    if recall < _LEAST_RECALL:
        raise NotTheCheckout(
            f"collection {name} finds {recall:.0%} of the nearest neighbours, {_LEAST_RECALL:.0%} are due"
        )
    entry = read_checkout(services.state, name)
    asked = written if written is not None else entry.value.recent if entry else ()
    if lost := damage(services, name, asked):
        raise NotTheCheckout(lost)
    return {"checked": checked, "recall": recall}


def _verify_forward(services: Services, name: CollectionName, rows: pa.Table, *, documents: int, seed: str) -> int:
    """Sampled documents of the manifest stand in the collection, with the right vectors and properties."""
    most = documents * _OBJECTS_A_DOCUMENT
    due = {o.chunk_id: o for o in islice(checkout(services, _sample(rows, documents, most=most, seed=seed)), most)}
    found = services.index.fetch(name, list(due))
    for chunk_id, wanted in due.items():
        if problem := _difference(found.get(chunk_id), wanted):
            raise NotTheCheckout(f"collection {name} {problem} chunk {chunk_id} after it was written")
    return len(due)


def _sample(rows: pa.Table, documents: int, *, most: int, seed: str) -> pa.Table:
    """So many documents at random, fewer where the first of them have `most` chunks: contents are read whole."""
    picked = random.Random(seed).sample(range(rows.num_rows), min(documents, rows.num_rows))  # noqa: S311 - a sample, not a secret
    sampled = rows.take(pa.array(picked, pa.int64()))
    before = pc.subtract(pc.cumulative_sum(sampled["chunks"]), sampled["chunks"])
    return sampled.filter(pc.less(before, most))


def _difference(stands: IndexObject | None, wanted: IndexObject) -> str:
    if stands is None:
        return "lacks"
    if stands.vector_digest != wanted.vector_digest:
        return "holds another vector for"
    return "holds other properties for" if stands.properties_digest != wanted.properties_digest else ""


def _verify_backward(services: Services, name: CollectionName, rows: pa.Table) -> None:
    """Sampled objects of the collection belong to documents of the manifest."""
    documents = set(rows["document_id"].to_pylist())
    for item in islice(services.index.scan(name, vectors=False), _SAMPLE_OBJECTS):
        if item.properties["document_id"] not in documents:
            raise NotTheCheckout(f"collection {name} holds chunk {item.chunk_id} of a document that the manifest lacks")


def _recall_of_probes(services: Services, name: CollectionName) -> float:
    """Against the exact neighbours that were kept while the collection was filled."""
    entry = read_checkout(services.state, name)
    nearest = Nearest.from_json(entry.value.probes if entry else ())
    shares = []
    for vector, exact in nearest.probes:
        hits: set[ChunkId] = {hit.chunk_id for hit in services.index.search(name, _by_vector(vector, len(exact)))}
        shares.append(nearest.overlap(exact, hits))
    return float(np.mean(shares)) if shares else 1.0


def _by_vector(vector: np.ndarray[tuple[int], np.dtype[np.float32]], limit: int) -> Query:
    return Query(mode="vector", text="", vector=vector, limit=limit)
