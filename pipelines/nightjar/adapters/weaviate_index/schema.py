"""A `CollectionSchema` in Weaviate's words, with every setting written out: servers may change their defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from weaviate.classes.config import (
    Configure,
    DataType,
    ReplicationDeletionStrategy,
    StopwordsPreset,
    Tokenization,
    VectorDistances,
    VectorFilterStrategy,
)
from weaviate.classes.config import Property as WeaviateProperty
from weaviate.collections.classes.config import CollectionConfig

from nightjar.errors import Misconfigured
from nightjar.ports import CollectionSchema, Property

_TYPES: Final[Mapping[str, DataType]] = {
    "text": DataType.TEXT,
    "text[]": DataType.TEXT_ARRAY,
    "int": DataType.INT,
    "number": DataType.NUMBER,
    "bool": DataType.BOOL,
    "date": DataType.DATE,
}
_KINDS: Final = {data_type: kind for kind, data_type in _TYPES.items()}

_Quantizer = Configure.VectorIndex.Quantizer
_QUANTIZERS: Final[Mapping[str, Callable[[], Any]]] = {
    "none": _Quantizer.none,  # said aloud: from 1.33 on a server may quantise by default
    "rq": _Quantizer.rq,
    "sq": _Quantizer.sq,
    "bq": _Quantizer.bq,
    "pq": _Quantizer.pq,
}


def settings(name: str, schema: CollectionSchema) -> dict[str, Any]:
    """Arguments of `collections.create`.

    Raises:
        Misconfigured: an unknown quantization or property kind.
    """
    return {
        "name": name,
        "description": schema.description,
        "properties": [as_property(each) for each in schema.properties],
        "vector_config": Configure.Vectors.self_provided(vector_index_config=_graph(schema.quantization)),
        "inverted_index_config": Configure.inverted_index(
            bm25_b=0.75, bm25_k1=1.2, stopwords_preset=StopwordsPreset.EN, index_null_state=False
        ),
        "replication_config": Configure.replication(
            factor=schema.replicas,
            async_enabled=schema.replicas > 1,
            deletion_strategy=ReplicationDeletionStrategy.TIME_BASED_RESOLUTION,
        ),
        "sharding_config": Configure.sharding(desired_count=schema.shards),
        "multi_tenancy_config": Configure.multi_tenancy(enabled=False),
    }


def schema_of(standing: CollectionConfig) -> CollectionSchema:
    """The reverse of `settings`: what a standing collection is, in our words."""
    sharding = standing.sharding_config
    return CollectionSchema(
        properties=tuple(kinds(standing).values()),
        description=standing.description or "",
        quantization=_quantization(standing),
        replicas=standing.replication_config.factor,
        shards=(sharding.desired_count if sharding else None) or 1,
    )


def difference(standing: CollectionConfig, schema: CollectionSchema) -> str:
    """The first thing in which a standing collection is not what `schema` asks for; '' when it is."""
    wanted, found = _described(schema), _described(schema_of(standing))
    apart = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    return f"{apart[0]} is {found.get(apart[0])}, not {wanted.get(apart[0])}" if apart else ""


def kinds(standing: CollectionConfig) -> dict[str, Property]:
    """The properties of a standing collection by name, in our words."""
    return {
        each.name: Property(each.name, _KINDS.get(each.data_type, str(each.data_type)), _search_of(each))
        for each in standing.properties
    }


def _described(schema: CollectionSchema) -> dict[str, str]:
    properties = {f"property {each.name}": f"{each.kind}, {each.search}" for each in schema.properties}
    return properties | {
        "quantization": schema.quantization,
        "replicas": str(schema.replicas),
        "shards": str(schema.shards),
    }


def _quantization(standing: CollectionConfig) -> str:
    vectors = standing.vector_config or {}
    quantizer = getattr(vectors["default"].vector_index_config, "quantizer", None) if "default" in vectors else "absent"
    return type(quantizer).__name__.strip("_").removesuffix("Config").lower() if quantizer is not None else "none"


def _search_of(each: Any) -> str:
    if each.index_searchable:
        return "words" if each.tokenization is Tokenization.WORD else f"words by {each.tokenization}"
    if each.index_range_filters:
        return "range"
    tokenized = each.tokenization is not None and each.tokenization is not Tokenization.FIELD
    return ("exact" if not tokenized else f"exact by {each.tokenization}") if each.index_filterable else "stored"


def _graph(quantization: str) -> Any:
    if quantization not in _QUANTIZERS:
        raise Misconfigured(f"index.quantization is {quantization!r}: use {', '.join(_QUANTIZERS)}")
    return Configure.VectorIndex.hnsw(
        distance_metric=VectorDistances.COSINE,
        ef_construction=128,
        max_connections=32,
        ef=-1,  # dynamic: eight times the limit asked for, between the two bounds below
        dynamic_ef_factor=8,
        dynamic_ef_min=100,
        dynamic_ef_max=500,
        flat_search_cutoff=40_000,
        filter_strategy=VectorFilterStrategy.ACORN,
        cleanup_interval_seconds=300,
        vector_cache_max_objects=1_000_000_000_000,
        quantizer=_QUANTIZERS[quantization](),
    )


def as_property(wanted: Property) -> WeaviateProperty:
    """One property in Weaviate's words.

    Raises:
        Misconfigured: an unknown kind.
    """
    if wanted.kind not in _TYPES:
        raise Misconfigured(f"property {wanted.name} is of unknown kind {wanted.kind!r}: use {', '.join(_TYPES)}")
    is_text = wanted.kind.startswith("text")
    return WeaviateProperty(
        name=wanted.name,
        data_type=_TYPES[wanted.kind],
        tokenization=_tokenization(wanted) if is_text else None,
        index_searchable=wanted.search == "words" if is_text else None,
        index_filterable=wanted.search in {"exact", "range"},
        index_range_filters=wanted.search == "range",
        skip_vectorization=True,
    )


def _tokenization(wanted: Property) -> Tokenization:
    """By words only what people search in: an id matched by its tokens would match other ids too."""
    return Tokenization.WORD if wanted.search == "words" else Tokenization.FIELD
