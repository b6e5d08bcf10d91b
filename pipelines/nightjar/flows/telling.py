"""Manifest rows as the objects of a collection tell them.

A row is believed only where it makes just the objects that stand: their ids, properties and vectors. It comes from
another bucket that knows the document, else from the objects themselves; then nobody knows what was attempted last, and
the next night reads that document's bytes again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import MANIFESTS_PREFIX, content_key_of, unpack_vectors, vectors_key
from nightjar.errors import Misconfigured
from nightjar.flows.embedding import counts_of_content
from nightjar.flows.manifests import indexed, read_bucket
from nightjar.flows.metadata import fields_json
from nightjar.flows.parallel import in_order
from nightjar.flows.rows import NO_FAILURE, Row
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.model import ChunkId, CollectionName, FieldValue
from nightjar.recipe import Recipe
from nightjar.stages.objects import index_objects

_MADE_BY: Final = ("parse_recipe", "parse_settings", "chunk_recipe", "chunk_settings", "embed_recipe", "space")


@dataclass(frozen=True, slots=True)
class Document:
    """One that stands: properties of its first object, and each object's digest by id."""

    about: Mapping[str, FieldValue | None]
    objects: dict[ChunkId, str] = field(default_factory=dict)


def standing_documents(services: Services, name: CollectionName, *, besides: Collection[str]) -> dict[str, Document]:
    """Documents that stand, by id, without those whose ids begin with a digit of a bucket that can be read."""
    found: dict[str, Document] = {}
    for each in services.index.scan(name, vectors=True):
        document = str(each.properties["document_id"])
        if document[0] not in besides:
            found.setdefault(document, Document(each.properties)).objects[each.chunk_id] = each.digest
    return found


def rows_of(
    services: Services, version: Version, standing: Mapping[str, Document], *, known: pa.Table, lost: Collection[str]
) -> dict[str, Row]:
    """For each document the first row that makes what stands; those are left out of which none does.

    Args:
        services: the corpus's doors.
        version: what the collection holds.
        standing: the documents that are asked about.
        known: rows of the version that can be read.
        lost: buckets that cannot.
    """
    history = _history(services, standing, lost=lost)
    makers, charsets = _makers(version, known), sorted({"", *known["charset"].drop_null().to_pylist()})

    def row_of(item: tuple[str, Document]) -> Row | None:
        document, found = item
        derived = (_derived(services, found, made_by, charset) for made_by, charset in product(makers, charsets))
        for row in (*history.get(document, ()), *derived):
            if (made := _believed(services, row, found)) is not None:
                return made
        return None

    found = zip(standing, in_order(row_of, standing.items()), strict=True)
    return {document: row for document, row in found if row is not None}


def _history(services: Services, documents: Iterable[str], *, lost: Collection[str]) -> dict[str, list[Row]]:
    """What buckets that can be read say of these documents, newest first."""
    wanted = pa.array(sorted(documents), pa.string())
    keys = [key for key in services.state.keys(MANIFESTS_PREFIX) if key not in lost]
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for table in in_order(lambda key: read_bucket(services.state, key), keys):
        rows = indexed(table)
        for row in rows.filter(pc.is_in(rows["document_id"], wanted)).to_pylist():
            found[row["document_id"]].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row["modified_us"], reverse=True)
    return found


def _makers(version: Version, known: pa.Table) -> list[Row]:
    """What made documents of the version: its own recipe, and older ones that some of them keep."""
    recipe = Recipe.from_json(version.recipe_parts)
    stages = {f"{stage}_recipe": recipe.upto(stage) for stage in ("parse", "chunk", "embed")}
    settings = {f"{stage}_settings": recipe.settings(stage) for stage in ("parse", "chunk")}
    others = indexed(known).group_by(list(_MADE_BY)).aggregate([]).to_pylist()
    return [{**stages, **settings, "space": recipe.space}, *others]


def _derived(services: Services, found: Document, made_by: Mapping[str, Any], charset: str) -> Row:
    """A row as the objects tell it; its fingerprint is no object's, so that the next night reads the document."""
    about = found.about
    uri, modified = str(about["source_uri"]), about["modified_at"]
    kinds = services.corpus.metadata.fields
    return {
        "document_id": about["document_id"],
        "uri": uri,
        "key": uri.removeprefix("s3://").partition("/")[2],
        **dict.fromkeys(("etag", "charset"), ""),
        **dict.fromkeys(("size", "modified_us", "set_aside"), 0),
        **NO_FAILURE,
        **made_by,
        "attempted_parse": made_by["parse_recipe"],
        "content_key": content_key_of(str(about["document_digest"]), str(about["media_type"]), charset),
        "digest": about["document_digest"],
        "media_type": about["media_type"],
        "charset": charset,
        "document_modified_us": round(modified.timestamp() * 1_000_000) if isinstance(modified, datetime) else 0,
        "object_metadata": "{}",
        "fields": fields_json({name: value for name in kinds if (value := about.get(name)) is not None}),
    }


def _believed(services: Services, row: Row, found: Document) -> Row | None:
    """The row, if what is stored for it makes just the objects that stand."""
    key = vectors_key(row["embed_recipe"], row["content_key"])
    stored = services.state.read(key)
    if stored is None:
        return None
    with suppress(Misconfigured):  # damaged vectors tell nothing
        content = unpack_vectors(stored.data, key=key)
        row = {**row, **counts_of_content(content), "acl": found.about["acl"]}
        made = index_objects(row, content, fields=services.corpus.metadata.fields)
        if {each.chunk_id: each.digest for each in made} == found.objects:
            return row
    return None
