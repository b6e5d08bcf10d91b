"""Writes a drift verdict's evidence: `drift.json`, and a page for people. Loaded only where a report is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from nightjar.flows.verdicts import Report
from nightjar.stages.drift.explain import Projection, projection
from nightjar.stages.drift.judge import Judgement
from nightjar.stages.drift.page import render_drift
from nightjar.stages.drift.report import evidence
from nightjar.stages.drift.sides import Side


def report(
    about: Mapping[str, Any],
    found: Judgement,
    *,
    sides: tuple[Side, Side],
    manifests: tuple[pa.Table, pa.Table],
    aside: pa.Table,
    history: list[Mapping[str, Any]],
) -> Report:
    """`about` holds corpus, version, live and the verdict; sides and manifests (with content) are (live, night).

    `aside` are manifest rows of documents that were set aside tonight for damage of their text.
    """
    values = {"format": 1, **about, **evidence(found, sides, manifests, aside=aside, history=history)}
    return Report(values, render_drift(values, _dots(found, sides)))


def _dots(found: Judgement, sides: tuple[Side, Side]) -> Projection | None:
    return projection(*sides, found.novelty) if found.novelty is not None else None
