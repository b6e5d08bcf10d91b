"""From a manifest to the objects that stand for it, read from stored vectors alone: models are not bit-stable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from nightjar.artifacts import EmbeddedContent, unpack_vectors, vectors_key
from nightjar.errors import Misconfigured
from nightjar.flows.access import Access, read_access
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.model import IndexObject
from nightjar.ports import CollectionSchema
from nightjar.stages.objects import index_objects
from nightjar.stages.properties import properties_of

Row = Mapping[str, Any]


def due_rows(services: Services, version: Version, access: Access | None = None) -> pa.Table:
    """Rows of what a version has in the index, with the access that holds now; every checkout starts from these."""
    access = access or read_access(services)
    return access.over(indexed(load_manifest(services.state, version.manifest)))


def checkout(services: Services, rows: pa.Table) -> Iterator[IndexObject]:
    """Every object that rows of a manifest stand for, document by document.

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
