"""Questions to a collection: by words, by vector, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weaviate.classes.query import Filter, HybridFusion, MetadataQuery
from weaviate.collections import Collection
from weaviate.collections.classes.filters import _Filters
from weaviate.collections.classes.internal import Object

from nightjar.errors import Misconfigured
from nightjar.model import ChunkId, FieldValue, Hit, Vector
from nightjar.ports import Property, Query
from nightjar.stages.properties import compared

HYBRID_ALPHA: Final = 0.5  # the vector's share; always said, because clients and servers differ in their default
KEYWORD_PROPERTIES: Final = ("text", "title", "heading_path")  # a boost is written `title^2`


def search(collection: Collection[Any, Any], query: Query, kinds: Mapping[str, Property]) -> list[Hit]:
    """Best first. A vector's score is its cosine, those of words and of both are as the server fuses them.

    Args:
        collection: a collection or an alias.
        query: what is asked.
        kinds: the collection's properties by name, so that filters are typed; may be empty when nothing is filtered.

    Raises:
        Misconfigured: the mode is unknown or lacks its vector, or a filter names what cannot be filtered.
    """
    if query.mode not in _ASK:
        raise Misconfigured(f"search mode is {query.mode!r}: use {', '.join(_ASK)}")
    if query.acl is not None and not query.acl:
        return []  # nobody's groups may see nothing, and the server refuses an empty list
    return _ASK[query.mode](collection, query, _filters(query, kinds))


def plain(properties: Mapping[str, Any]) -> dict[str, FieldValue | None]:
    """Properties as they were written: lists are tuples again."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in properties.items()}


def _by_vector(collection: Collection[Any, Any], query: Query, filters: _Filters | None) -> list[Hit]:
    found = collection.query.near_vector(
        _vector(query), filters=filters, limit=query.limit, return_metadata=MetadataQuery(distance=True)
    )
    return [_hit(each, 1.0 - (each.metadata.distance or 0.0)) for each in found.objects]


def _by_keyword(collection: Collection[Any, Any], query: Query, filters: _Filters | None) -> list[Hit]:
    if not query.text.strip():
        return []  # as for any question without a known word; the server calls this one an error
    found = collection.query.bm25(
        query.text,
        query_properties=list(KEYWORD_PROPERTIES),
        filters=filters,
        limit=query.limit,
        return_metadata=MetadataQuery(score=True),
    )
    return [_hit(each, each.metadata.score or 0.0) for each in found.objects]


def _by_both(collection: Collection[Any, Any], query: Query, filters: _Filters | None) -> list[Hit]:
    found = collection.query.hybrid(
        query.text,
        vector=_vector(query),
        alpha=HYBRID_ALPHA,
        fusion_type=HybridFusion.RELATIVE_SCORE,
        query_properties=list(KEYWORD_PROPERTIES),
        filters=filters,
        limit=query.limit,
        return_metadata=MetadataQuery(score=True),
    )
    return [_hit(each, each.metadata.score or 0.0) for each in found.objects]


_ASK: Final = {"hybrid": _by_both, "vector": _by_vector, "keyword": _by_keyword}


def _hit(found: Object[Any, Any], score: float) -> Hit:
    return Hit(ChunkId(str(found.uuid)), float(score), plain(found.properties))


def _vector(query: Query) -> list[float]:
    vector: Vector | None = query.vector
    if vector is None:
        raise Misconfigured(f"{query.mode} search needs the question's vector: embed it first, or ask by keyword")
    floats: list[float] = vector.tolist()
    return floats


def _filters(query: Query, kinds: Mapping[str, Property]) -> _Filters | None:
    parts = [_equal(name, value, kinds) for name, value in (query.where or {}).items()]
    if query.acl is not None:
        parts.append(Filter.by_property("acl").contains_any(list(query.acl)))
    return Filter.all_of(parts) if parts else None


def _equal(name: str, value: object, kinds: Mapping[str, Property]) -> _Filters:
    wanted = compared(name, value, kinds)
    found = Filter.by_property(name)
    return found.contains_any([str(wanted)]) if kinds[name].kind == "text[]" else found.equal(wanted)
