"""Fill a new collection from stored vectors, and prove that it is the version's checkout."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import numpy as np
import pyarrow as pa

from nightjar.artifacts import EmbeddedContent, collection_key, unpack_vectors, vectors_key
from nightjar.errors import Misconfigured, Transient
from nightjar.flows.gates import candidate
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.records import record
from nightjar.flows.runs import Run, write_json
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_version, save_version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.ports import CollectionSchema, Query
from nightjar.stages.nearest import Nearest
from nightjar.stages.objects import index_objects
from nightjar.stages.properties import properties_of
from nightjar.stages.states import State

log = logging.getLogger(__name__)
_REQUEST_S: Final = 15.0
_SAMPLE_DOCUMENTS: Final = 50
_SAMPLE_OBJECTS: Final = 200
# A probe's ten nearest, found by the graph and by exact search, must overlap at least this much on average.
_LEAST_RECALL: Final = 0.8

Row = Mapping[str, Any]


def index(services: Services, run: Run, *, lease: Lease) -> Mapping[str, Any]:
    """Check the candidate out into a collection of its own. Returns what was written.

    A candidate whose checkout equals the live one shares its collection: nothing is written for a touched file.
    """
    version = candidate(services, run)
    if version is None or version.state not in {State.GATED, State.INDEXING}:
        return {"written": 0}
    if shared := _standing_checkout(services, run, version):
        save_version(services.state, replace(version, collection=shared))
        return {"written": 0}
    version = _claim_collection(services, version)
    version = save_version(services.state, version.enter(State.INDEXING, at=services.clock(), actor=run.actor))
    name = CollectionName(str(version.collection))
    services.index.create(name, schema_of(services, version))
    rows = indexed(load_manifest(services.state, version.manifest))
    nearest = Nearest()
    written = services.index.write(name, _paced(services, nearest.watch(checkout(services, rows)), version, lease))
    _record(services, version, probes=nearest.as_json())
    log.info("indexed run=%s version=%d collection=%s objects=%d", run.run_id, version.number, name, written)
    write_json(services, run, "written.json", written)
    return {"written": written}


def _standing_checkout(services: Services, run: Run, version: Version) -> str | None:
    if run.live is None or read_version(services.state, run.live.version).checkout != version.checkout:
        return None
    found = record(services.state, collection_key(run.live.collection)).read()
    if found is None or found.value.get("checkout") != version.checkout:
        return None
    name = CollectionName(run.live.collection)
    stands = name in services.index.collections() and services.index.count(name) == version.counts["chunks"]
    return name if stands else None


def _claim_collection(services: Services, version: Version) -> Version:
    """Number the next build; its record stands, with what is about to be written, before the collection does."""
    if version.collection is not None:
        return version
    prefix = f"{services.corpus.alias}_b"
    builds = [key.removesuffix(".json").rpartition("_b")[2] for key in services.state.keys("collections/")]
    standing = [name.removeprefix(prefix) for name in services.index.collections() if name.startswith(prefix)]
    number = max((int(build) for build in [*builds, *standing] if build.isdigit()), default=0) + 1
    name = f"{prefix}{number:04d}"
    writing = {"writing": {"from": None, "to": version.number, "run": version.run_id}}
    record(services.state, collection_key(name)).swap(None, {"collection": name, **writing})
    return save_version(services.state, replace(version, collection=name))


def _record(services: Services, version: Version, *, probes: Any) -> None:
    register = record(services.state, collection_key(str(version.collection)))
    register.swap(
        register.read(),
        {
            "collection": version.collection,
            "version": version.number,
            "checkout": version.checkout,
            "manifest": list(version.manifest),
            "probes": probes,
            "writing": None,
        },
    )


def schema_of(services: Services, version: Version) -> CollectionSchema:
    """Properties by the corpus file; the description lets a client check that it asks with the right model."""
    corpus, model = services.corpus, version.recipe_parts["embed"]["model"]
    return CollectionSchema(
        properties=properties_of(corpus.metadata.fields),
        description=f"corpus={corpus.name} version={version.number} model={model} recipe={version.recipe}",
        quantization=corpus.index.quantization,
        replicas=corpus.index.replicas,
        shards=corpus.index.shards,
    )


def checkout(services: Services, rows: pa.Table) -> Iterator[IndexObject]:
    """Every object that a manifest stands for, read from stored vectors.

    Raises:
        Misconfigured: vectors that the manifest names are gone.
    """

    def read(row: Row) -> tuple[Row, EmbeddedContent]:
        key = vectors_key(row["embed_recipe"], row["content_key"])
        stored = services.state.read(key)
        if stored is None:
            raise Misconfigured(f"the state object {key} is gone: run again with --recompute embed")
        return row, unpack_vectors(stored.data, key=key)

    for row, content in in_order(read, rows.to_pylist()):
        yield from index_objects(row, content, fields=services.corpus.metadata.fields)


def _paced(services: Services, objects: Iterator[IndexObject], version: Version, lease: Lease) -> Iterator[IndexObject]:
    """Before each batch the lease must outlive the request, so that a run that lost it writes nothing more."""
    total = version.counts["chunks"]
    lease.assure(_REQUEST_S)
    for number, item in enumerate(objects, start=1):
        if number % 500 == 0 or number == total:
            lease.assure(_REQUEST_S)
            services.progress("index", number, total)
        yield item


def verify(services: Services, run: Run) -> Mapping[str, Any]:
    """Count, sample both ways, compare vectors, and hold the graph's answers against exact search.

    Raises:
        Transient: the collection is not the checkout; the version stays where it is and nothing became visible.
    """
    version = candidate(services, run)
    if version is None or version.collection is None or version.state not in {State.GATED, State.INDEXING}:
        return {"checked": 0}
    name = CollectionName(version.collection)
    count, due = services.index.count(name), version.counts["chunks"]
    if count != due:
        raise Transient(f"collection {name} holds {count} objects where version {version.number} has {due}")
    rows = indexed(load_manifest(services.state, version.manifest))
    checked = _verify_forward(services, name, rows, seed=version.checkout)
    _verify_backward(services, name, rows)
    recall = _verify_recall(services, name)
    save_version(services.state, version.enter(State.VERIFIED, at=services.clock(), actor=run.actor))
    log.info("verified run=%s version=%d objects=%d recall=%.3f", run.run_id, version.number, due, recall)
    return {"checked": checked, "recall": recall}


def _verify_forward(services: Services, name: CollectionName, rows: pa.Table, *, seed: str) -> int:
    """Sampled documents of the manifest stand in the collection, with the right vectors and properties."""
    picked = sorted(random.Random(seed).sample(range(rows.num_rows), min(_SAMPLE_DOCUMENTS, rows.num_rows)))  # noqa: S311 - a sample, not a secret
    due = {o.chunk_id: o for o in islice(checkout(services, rows.take(picked)), 10 * _SAMPLE_OBJECTS)}
    found = services.index.fetch(name, list(due))
    for chunk_id, wanted in due.items():
        stands = found.get(chunk_id)
        if stands is None:
            raise Transient(f"collection {name} lacks chunk {chunk_id} after it was written")
        if not np.array_equal(np.asarray(stands.vector, "<f4"), np.asarray(wanted.vector, "<f4")):
            raise Transient(f"collection {name} holds another vector for chunk {chunk_id}")
    return len(due)


def _verify_backward(services: Services, name: CollectionName, rows: pa.Table) -> None:
    """Sampled objects of the collection belong to documents of the manifest."""
    documents = set(rows["document_id"].to_pylist())
    for item in islice(services.index.scan(name, vectors=False), _SAMPLE_OBJECTS):
        if item.properties["document_id"] not in documents:
            raise Transient(f"collection {name} holds chunk {item.chunk_id} of a document that the manifest lacks")


def _verify_recall(services: Services, name: CollectionName) -> float:
    found = record(services.state, collection_key(name)).read()
    nearest = Nearest.from_json(found.value["probes"] if found else [])
    shares = []
    for vector, exact in nearest.probes:
        query = Query(mode="vector", text="", vector=vector, limit=len(exact))
        hits: set[ChunkId] = {hit.chunk_id for hit in services.index.search(name, query)}
        shares.append(nearest.overlap(exact, hits))
    recall = float(np.mean(shares)) if shares else 1.0
    if recall < _LEAST_RECALL:
        raise Transient(f"collection {name} finds {recall:.0%} of the nearest neighbours, {_LEAST_RECALL:.0%} are due")
    return recall
