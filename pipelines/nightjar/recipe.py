"""What shaped a result, as digests of a prefix: parse, then chunk, then embed.

`recipe.upto("chunk")` changes exactly when chunks would, so nothing is ever reused across a recipe that differs,
and nothing is made again because of a later stage's setting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

from nightjar.model import sha256

Stage = Literal["parse", "chunk", "embed"]
STAGES: Final[tuple[Stage, ...]] = ("parse", "chunk", "embed")
_DIGEST_LENGTH: Final = 16

Parts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings and versions behind parse, chunk and embed; plain strings, to be printed and compared."""

    parse: Parts
    chunk: Parts
    embed: Parts

    def upto(self, stage: Stage) -> str:
        """16 hex digits that stand for this stage and all before it."""
        prefix = STAGES[: STAGES.index(stage) + 1]
        parts = {name: dict(getattr(self, name)) for name in prefix}
        return sha256(json.dumps(parts, sort_keys=True))[:_DIGEST_LENGTH]

    @property
    def space(self) -> str:
        """16 hex digits for the vector space alone: vectors of one space may stand in one collection."""
        return sha256(json.dumps(dict(self.embed), sort_keys=True))[:_DIGEST_LENGTH]

    def as_json(self) -> dict[str, dict[str, str]]:
        """For `run.json` and `version.json`: the parts themselves, so that two digests can be explained."""
        return {name: dict(getattr(self, name)) for name in STAGES}

    @classmethod
    def from_json(cls, parts: Mapping[str, Parts]) -> Self:
        """The reverse of `as_json`."""
        return cls(**{name: dict(parts[name]) for name in STAGES})

    def difference(self, other: Self) -> list[str]:
        """Which parts differ, as `embed.model: a → b`."""
        return [
            f"{stage}.{key}: {ours.get(key)} → {theirs.get(key)}"
            for stage in STAGES
            for ours, theirs in [(getattr(self, stage), getattr(other, stage))]
            for key in sorted({*ours, *theirs})
            if ours.get(key) != theirs.get(key)
        ]
