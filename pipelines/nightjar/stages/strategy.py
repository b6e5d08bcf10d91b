"""How a version gets into Weaviate: beside the live collection, or into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nightjar.ports import CollectionSchema, Property

_LARGEST_SHARE: Final = (
    0.2  # of the chunks; above it a collection of its own costs little more, and is reversible at once
)


class Strategy(StrEnum):
    """`shared`: the live collection is this version's checkout already."""

    BLUE_GREEN = "blue_green"
    IN_PLACE = "in_place"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the choice depends on.

    `obstacle` says why the live collection cannot take this version at all, '' when it can; `touched` are the chunks of
    documents that differ, of each as many as it had or has, whichever is more; `chunks` are all of the candidate's.
    """

    obstacle: str
    full_refresh: bool
    touched: int
    chunks: int


def choose(facts: Facts, *, asked: str, blue_green_below: int) -> Strategy:
    """`asked` is the corpus file's `index.strategy`; `auto` takes the cheaper way that stays safe."""
    if facts.obstacle or asked == Strategy.BLUE_GREEN:
        return Strategy.BLUE_GREEN
    if asked == Strategy.IN_PLACE:
        return Strategy.IN_PLACE
    large_change = facts.touched > _LARGEST_SHARE * facts.chunks
    if facts.full_refresh or large_change or facts.chunks <= blue_green_below:
        return Strategy.BLUE_GREEN
    return Strategy.IN_PLACE


def obstacle(standing: CollectionSchema, wanted: CollectionSchema) -> str:
    """Why a collection of schema `standing` cannot become one of `wanted`; '' when it can, by new properties alone."""
    for name in ("quantization", "replicas", "shards"):
        if getattr(standing, name) != getattr(wanted, name):
            return f"index.{name} is {getattr(standing, name)} there and {getattr(wanted, name)} in the corpus file"
    due = _by_name(wanted)
    for each in standing.properties:
        if each.name not in due:
            return f"the field {each.name} was taken out"
        if due[each.name] != each:
            return f"the field {each.name} changed its type from {each.kind} to {due[each.name].kind}"
    return ""


def _by_name(schema: CollectionSchema) -> Mapping[str, Property]:
    return {each.name: each for each in schema.properties}
