"""From a manifest to the objects that stand for it, read from stored vectors alone: models are not bit-stable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import EmbeddedContent, unpack_vectors, vectors_key, vectors_prefix
from nightjar.errors import Misconfigured
from nightjar.flows.access import Access, read_access
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.model import IndexObject
from nightjar.plural import counted
from nightjar.ports import CollectionSchema
from nightjar.stages.objects import index_objects
from nightjar.stages.properties import properties_of

Row = Mapping[str, Any]
_ASKED_SINGLY: Final = 100


def due_rows(services: Services, version: Version, access: Access | None = None) -> pa.Table:
    """Rows of what a version has in the index, with the access that holds now; every checkout starts from these."""
    access = access or read_access(services)
    return access.over(indexed(load_manifest(services.state, version.manifest)))


def checkout(services: Services, rows: pa.Table) -> Iterator[IndexObject]:
    """Every object that rows of a manifest stand for, document by document.

    Raises:
        Misconfigured: vectors that the manifest names are gone, or are another content's.
    """

    def read(row: Row) -> tuple[Row, EmbeddedContent]:
        key = _vectors_of(row)
        stored = services.state.read(key)
        if stored is None:
            raise Misconfigured(f"the state object {key} is gone: run again with --recompute embed")
        content = unpack_vectors(stored.data, key=key)
        _refuse_another(row, content, key=key)
        return row, content

    for row, content in in_order(read, rows.to_pylist()):
        yield from index_objects(row, content, fields=services.corpus.metadata.fields)


def _refuse_another(row: Row, content: EmbeddedContent, *, key: str) -> None:
    """Chunks and tokens follow from content and recipe.

    Vectors do not, bit by bit: a later run may have made them anew, which serve an earlier version as well.
    """
    due, stored = (row["chunks"], row["tokens"]), (len(content.chunks), content.tokens)
    if due != stored:
        raise Misconfigured(
            f"the state object {key} holds {stored[0]} chunks of {stored[1]} tokens where the manifest has {due[0]} of"
            f" {due[1]}: run again with --recompute embed"
        )


def without_vectors(services: Services, rows: pa.Table) -> pa.Table:
    """Those rows of a manifest whose stored vectors are gone: one listing for each recipe, or a question for each row.

    A few rows are asked about singly: a small delta of a large corpus must not cost a listing of it.
    """
    if rows.num_rows <= _ASKED_SINGLY:
        return rows.filter(pa.array(in_order(lambda row: not _is_stored(services, row), rows.to_pylist()), pa.bool_()))
    stored: set[str] = set()
    for recipe in pc.unique(rows["embed_recipe"]).to_pylist():
        stored.update(services.state.keys(vectors_prefix(recipe)))
    present = [_vectors_of(row) in stored for row in rows.select(["embed_recipe", "content_key"]).to_pylist()]
    return rows.filter(pc.invert(pa.array(present, pa.bool_())))


def require_vectors(services: Services, rows: pa.Table) -> None:
    """Before the first object is written: everything that the rows name exists.

    Raises:
        Misconfigured: it does not; the first is named, with how many more.
    """
    lost = without_vectors(services, rows)
    if lost.num_rows:
        first = _vectors_of(lost.slice(0, 1).to_pylist()[0])
        more = f", and those of {counted(lost.num_rows - 1, 'more document')}" if lost.num_rows > 1 else ""
        raise Misconfigured(f"the state object {first} is gone{more}: run again with --recompute embed")


def _is_stored(services: Services, row: Row) -> bool:
    return services.state.exists(_vectors_of(row))


def _vectors_of(row: Row) -> str:
    return vectors_key(row["embed_recipe"], row["content_key"])


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
