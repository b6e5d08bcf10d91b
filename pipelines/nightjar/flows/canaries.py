"""Vectors of fixed texts, kept with each version: what its model was, whatever its recipe says."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from nightjar.artifacts import CANARY, from_parquet, rows_table, to_parquet, version_key
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.model import Vector, sha256
from nightjar.stages.drift import FAIL, Finding, canary, canary_texts

_NAME: Final = "canary.parquet"


def judge_canary(services: Services, version: Version, live: Version | None, *, embedded: int) -> list[Finding]:
    """Compare tonight's model with the live version's, and keep the vectors that later versions are compared with.

    The live version's vectors are handed on while they agree, so that small steps of many nights add up to one that is
    seen. A night that embeds nothing asks no model: none of its vectors is new.
    """
    before = _kept(services, live) if live is not None and _same_space(version, live) else None
    if before is not None and not embedded:
        _keep(services, version.number, before)
        return []
    now = _embedded(services)
    if before is None:
        _keep(services, version.number, now)
        return []
    found = _compared(before, now)
    broken = any(finding.state == FAIL for finding in found)
    _keep(services, version.number, now if broken or now.keys() - before.keys() else before)
    return found


def kept_canaries(services: Services, version: Version, live: Version) -> list[Finding]:
    """What the vectors say that both versions keep; nothing where one keeps none, or another model was planned."""
    before, now = _kept(services, live), _kept(services, version)
    return _compared(before, now) if before and now and _same_space(version, live) else []


def _compared(before: dict[str, Vector], now: dict[str, Vector]) -> list[Finding]:
    common = sorted(before.keys() & now.keys())
    return canary(_stacked(before, common), _stacked(now, common)) if common else []


def _same_space(version: Version, live: Version) -> bool:
    return version.recipe_parts.get("embed") == live.recipe_parts.get("embed")


def _embedded(services: Services) -> dict[str, Vector]:
    texts = canary_texts()
    return {sha256(text): vector for text, vector in zip(texts, services.embedder().embed(texts), strict=True)}


def _kept(services: Services, version: Version) -> dict[str, Vector] | None:
    key = version_key(version.number, _NAME)
    stored = services.state.read(key)
    if stored is None:
        return None
    rows = from_parquet(stored.data, key=key).to_pylist()
    return {row["text_digest"]: np.asarray(row["vector"], np.float32) for row in rows}


def _keep(services: Services, number: int, vectors: dict[str, Vector]) -> None:
    rows = ({"text_digest": digest, "vector": vector} for digest, vector in sorted(vectors.items()))
    table: pa.Table = rows_table(rows, CANARY)
    services.state.write(version_key(number, _NAME), to_parquet(table))


def _stacked(vectors: dict[str, Vector], digests: list[str]) -> Vector:
    return np.stack([vectors[digest] for digest in digests])
