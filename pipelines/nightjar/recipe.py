"""What shaped a result, as a chain of digests: parse, then chunk, then embed.

`recipe.upto("chunk")` changes exactly when chunks would, so nothing is ever reused across a recipe that differs,
and nothing is made again because of a later stage's setting.
A stage's parts are of two kinds: settings stand in the corpus file, and whoever changes one means it; all others come
with libraries, and an upgrade of those is nobody's wish to make a million documents again.
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
_SETTINGS: Final[Mapping[Stage, tuple[str, ...]]] = {
    "parse": ("strategy", "languages"),
    "chunk": ("max_tokens", "overlap_tokens", "headings"),
    "embed": ("model", "document_prompt"),
}

Parts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings and versions behind parse, chunk and embed; plain strings, to be printed and compared."""

    parse: Parts
    chunk: Parts
    embed: Parts

    def upto(self, stage: Stage, *, parse: str | None = None) -> str:
        """16 hex digits that stand for this stage and all before it.

        Args:
            stage: the last one that counts.
            parse: another parser's digest in place of this one's, for a document that keeps what that one read.
        """
        before = parse or _digest({"parse": dict(self.parse)})
        for name in STAGES[1 : STAGES.index(stage) + 1]:
            before = _digest({"before": before, name: dict(getattr(self, name))})
        return before

    def settings(self, stage: Stage) -> str:
        """16 hex digits for what the corpus file says of this one stage."""
        parts: Parts = getattr(self, stage)
        return _digest({name: parts.get(name) for name in _SETTINGS[stage]})

    @property
    def space(self) -> str:
        """16 hex digits for the vector space alone: vectors of one space may stand in one collection."""
        return _digest(dict(self.embed))

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


def _digest(parts: Mapping[str, object]) -> str:
    return sha256(json.dumps(parts, sort_keys=True))[:_DIGEST_LENGTH]
