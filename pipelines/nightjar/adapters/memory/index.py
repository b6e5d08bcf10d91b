"""A vector database in a dictionary: exact search, the same promises, nothing to install."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from nightjar.errors import Misconfigured
from nightjar.model import ChunkId, CollectionName, FieldValue, Hit, IndexObject
from nightjar.ports import CollectionSchema, Property, Query
from nightjar.stages.properties import checked, compared

_KEYWORD_PROPERTIES: Final = ("text", "title", "heading_path")
_WORD: Final = re.compile(r"\w+")
_SATURATION, _LENGTH_SHARE = 1.2, 0.75  # BM25's k1 and b, as Weaviate is told
_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_]*")


@dataclass(slots=True)
class _Collection:
    schema: CollectionSchema
    objects: dict[ChunkId, IndexObject] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, Property]:
        return {each.name: each for each in self.schema.properties}


class MemoryIndex:
    """`ports.Index` without a server; lives as long as the object. Not safe from many threads."""

    def __init__(self) -> None:
        self._collections: dict[CollectionName, _Collection] = {}
        self._aliases: dict[str, CollectionName] = {}

    def check(self) -> str:
        """Always there."""
        return "memory"

    def collections(self) -> list[CollectionName]:
        """Every collection's name, sorted."""
        return sorted(self._collections)

    def create(self, name: CollectionName, schema: CollectionSchema) -> None:
        """Create it, or accept an equal one; a description is not part of being equal, and is taken over."""
        _refuse_name(name)
        standing = self._collections.get(name)
        if standing is None:
            self._collections[name] = _Collection(schema)
        elif _comparable(standing.schema) != _comparable(schema):
            raise Misconfigured(f"collection {name} stands already with other settings: drop it or choose another name")
        else:
            standing.schema = replace(standing.schema, description=schema.description)

    def schema(self, name: CollectionName) -> CollectionSchema:
        """As created, with what `extend` added."""
        return self._named(name).schema

    def extend(self, name: CollectionName, properties: Iterable[Property]) -> None:
        """Objects that stand get None there."""
        standing = self._named(name)
        fresh = tuple(each for each in properties if each.name not in standing.kinds)
        standing.schema = replace(standing.schema, properties=(*standing.schema.properties, *fresh))
        for chunk_id, each in standing.objects.items():
            full = dict.fromkeys(standing.kinds) | dict(each.properties)
            standing.objects[chunk_id] = replace(each, properties=full)

    def describe(self, name: CollectionName, description: str) -> None:
        """Replace the collection's description."""
        standing = self._named(name)
        standing.schema = replace(standing.schema, description=description)

    def drop(self, name: CollectionName) -> None:
        """Remove a collection; one that an alias names is refused, an absent one is no error."""
        naming = sorted(alias for alias, target in self._aliases.items() if target == name)
        if naming:
            raise Misconfigured(f"collection {name} is served by the alias {naming[0]}: move the alias before dropping")
        self._collections.pop(name, None)

    def write(self, name: CollectionName, objects: Iterable[IndexObject]) -> int:
        """Upsert all of `objects`; returns how many were given."""
        standing = self._named(name)
        declared = standing.kinds
        given = 0
        for each in objects:
            full = dict.fromkeys(declared) | dict(checked(each, declared).properties)
            standing.objects[each.chunk_id] = replace(each, properties=full, vector=each.vector.copy())
            given += 1
        return given

    def delete(self, name: CollectionName, ids: Sequence[ChunkId]) -> None:
        """Absent ones are no error."""
        standing = self._named(name).objects
        for chunk_id in ids:
            standing.pop(chunk_id, None)

    def count(self, name: CollectionName) -> int:
        """Objects in it."""
        return len(self._named(name).objects)

    def fetch(self, name: CollectionName, ids: Sequence[ChunkId]) -> dict[ChunkId, IndexObject]:
        """Those of `ids` that stand."""
        standing = self._named(name).objects
        return {chunk_id: standing[chunk_id] for chunk_id in ids if chunk_id in standing}

    def of_documents(self, name: CollectionName, documents: Sequence[str]) -> Iterator[IndexObject]:
        """In the order of ids."""
        wanted = frozenset(documents)
        yield from (each for each in self.scan(name, vectors=True) if each.properties["document_id"] in wanted)

    def scan(self, name: CollectionName, *, vectors: bool) -> Iterator[IndexObject]:
        """Every object once, in the order of ids."""
        for _, each in sorted(self._named(name).objects.items()):
            yield each if vectors else replace(each, vector=np.empty(0, dtype=np.float32))

    def search(self, name: str, query: Query) -> list[Hit]:
        """Best first; vectors exactly, words by BM25, both fused by relative score with equal shares."""
        if query.mode not in _SCORES:
            raise Misconfigured(f"search mode is {query.mode!r}: use {', '.join(_SCORES)}")
        standing = self._named(self._aliases.get(name, CollectionName(name)))
        allowed = [each for each in standing.objects.values() if _passes(each, query, standing.kinds)]
        scores = _SCORES[query.mode](allowed, list(standing.objects.values()), query)
        best = sorted(scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))[: query.limit]
        return [Hit(chunk_id, scores[chunk_id], standing.objects[chunk_id].properties) for chunk_id in best]

    def alias(self, alias: str) -> CollectionName | None:
        """What the alias names, None when there is no such alias."""
        return self._aliases.get(alias)

    def point(self, alias: str, name: CollectionName) -> None:
        """Create or move the alias."""
        _refuse_name(alias)
        self._named(name)
        if alias in self._collections:
            raise Misconfigured(f"{alias} is a collection, so it cannot be an alias: choose another index.alias")
        self._aliases[alias] = name

    def close(self) -> None:
        """Nothing to end."""

    def _named(self, name: CollectionName) -> _Collection:
        if name not in self._collections:
            raise Misconfigured(f"there is no collection {name}: it was dropped, or never made")
        return self._collections[name]


def _refuse_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{name!r} cannot name a collection or alias: begin with a capital letter (A-Z, 0-9, _)")


def _comparable(schema: CollectionSchema) -> tuple[object, ...]:
    return frozenset(schema.properties), schema.quantization, schema.replicas, schema.shards


def _passes(each: IndexObject, query: Query, kinds: Mapping[str, Property]) -> bool:
    groups = each.properties.get("acl") or ()
    if query.acl is not None and not (isinstance(groups, tuple) and set(groups) & set(query.acl)):
        return False
    return all(_equals(each.properties, name, value, kinds) for name, value in (query.where or {}).items())


def _equals(
    properties: Mapping[str, FieldValue | None], name: str, value: object, kinds: Mapping[str, Property]
) -> bool:
    wanted, found = compared(name, value, kinds), properties.get(name)
    return wanted in found if isinstance(found, tuple) else found is not None and found == wanted


def _cosines(allowed: Sequence[IndexObject], _: Sequence[IndexObject], query: Query) -> dict[ChunkId, float]:
    if query.vector is None:
        raise Misconfigured(f"{query.mode} search needs the question's vector: embed it first, or ask by keyword")
    asked = query.vector / np.linalg.norm(query.vector)
    return {each.chunk_id: float(each.vector @ asked / np.linalg.norm(each.vector)) for each in allowed}


def _bm25(allowed: Sequence[IndexObject], everything: Sequence[IndexObject], query: Query) -> dict[ChunkId, float]:
    """BM25 over the joined words of the searched properties; statistics come from the whole collection."""
    words = {each.chunk_id: _words(each) for each in everything}
    mean = sum(map(len, words.values())) / max(len(words), 1)
    holding = Counter(word for found in words.values() for word in set(found))
    asked = {word.lower() for word in _WORD.findall(query.text)} & holding.keys()
    weights = {word: math.log(1 + (len(words) - holding[word] + 0.5) / (holding[word] + 0.5)) for word in asked}
    scores = {each.chunk_id: _score(words[each.chunk_id], weights, mean) for each in allowed}
    return {chunk_id: score for chunk_id, score in scores.items() if score > 0}


def _score(words: Sequence[str], weights: Mapping[str, float], mean: float) -> float:
    found = Counter(words)
    ground = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * len(words) / (mean or 1))
    return sum(weight * found[word] * (_SATURATION + 1) / (found[word] + ground) for word, weight in weights.items())


def _words(each: IndexObject) -> list[str]:
    values = (each.properties.get(name) for name in _KEYWORD_PROPERTIES)
    joined = " ".join(" ".join(value) if isinstance(value, tuple) else str(value) for value in values if value)
    return [word.lower() for word in _WORD.findall(joined)]


def _both(allowed: Sequence[IndexObject], everything: Sequence[IndexObject], query: Query) -> dict[ChunkId, float]:
    near = _relative(_cosines(allowed, everything, query))
    worded = _relative(_bm25(allowed, everything, query))
    return {chunk_id: (near.get(chunk_id, 0.0) + worded.get(chunk_id, 0.0)) / 2 for chunk_id in near}


def _relative(scores: Mapping[ChunkId, float]) -> dict[ChunkId, float]:
    """The best as 1, the worst as 0."""
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {chunk_id: (score - low) / (high - low) if high > low else 1.0 for chunk_id, score in scores.items()}


_Scoring = Callable[[Sequence[IndexObject], Sequence[IndexObject], Query], dict[ChunkId, float]]
_SCORES: Final[Mapping[str, _Scoring]] = {"hybrid": _both, "vector": _cosines, "keyword": _bm25}
