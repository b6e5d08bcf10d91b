"""Vectors that a shard's texts have already: from their documents' last version, or from earlier in the shard.

What is held does not grow with the shard: only the group at hand is looked up, and of earlier groups the vectors used
last are remembered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from nightjar.artifacts import EmbeddedContent, unpack_vectors, vectors_key
from nightjar.flows.parallel import in_order
from nightjar.flows.planning import shard_rows
from nightjar.flows.rows import Row
from nightjar.flows.runs import Run
from nightjar.flows.services import Services
from nightjar.model import Vector

# A text that comes back after so many others is embedded again: 12 MB at 384 dimensions.
_REMEMBERED: Final = 8_192


class Reuse:
    """Asked with one group of contents after another; `rows` are the shard's documents with their content keys."""

    def __init__(self, services: Services, run: Run, shard: int, *, rows: Iterable[Row]) -> None:
        self._services = services
        self._before = _keys_before(services, run, shard, rows)
        self._recent: dict[str, Vector] = {}

    def find(self, contents: Iterable[str], *, wanted: Collection[str]) -> dict[str, Vector]:
        """Vectors by digest of text, for those of `wanted` that have one."""
        found = {digest: self._recent[digest] for digest in wanted if digest in self._recent}
        keys = sorted({key for content in contents for key in self._before.get(content, ())})
        for stored in in_order(lambda key: read_content(self._services, key), keys):
            found |= {digest: vector for digest, vector in _vectors(stored) if digest in wanted}
        return found

    def remember(self, vectors: Mapping[str, Vector]) -> None:
        """For the groups that follow; what was used longest ago is forgotten."""
        for digest, vector in vectors.items():
            self._recent.pop(digest, None)
            self._recent[digest] = vector
        for digest in list(self._recent)[:-_REMEMBERED]:
            del self._recent[digest]


def read_content(services: Services, key: str) -> EmbeddedContent | None:
    """A content's stored chunks and vectors; None where nothing is stored."""
    stored = services.state.read(key)
    return unpack_vectors(stored.data, key=key) if stored else None


def _keys_before(services: Services, run: Run, shard: int, rows: Iterable[Row]) -> dict[str, set[str]]:
    """Content key → where the vectors lie that its documents had; none where all is to be embedded anew."""
    if run.options.makes_again("embed"):
        return {}
    before = {
        planned["key"]: vectors_key(planned["base_embed_recipe"], planned["base_content_key"])
        for planned in shard_rows(services, run, shard)
        if planned.get("base_content_key") and planned["base_space"] == run.recipe.space
    }
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["content_key"] and row["key"] in before:
            keys[row["content_key"]].add(before[row["key"]])
    return dict(keys)


def _vectors(content: EmbeddedContent | None) -> Iterator[tuple[str, Vector]]:
    for embedded in content.chunks if content else ():
        yield embedded.chunk.text_digest, embedded.vector.copy()
