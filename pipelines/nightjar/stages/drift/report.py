"""The evidence of a drift verdict as one JSON value: bounded, and all that the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

import pyarrow as pa

from nightjar.stages.drift.composition import shares
from nightjar.stages.drift.explain import clusters, contributors
from nightjar.stages.drift.findings import Finding
from nightjar.stages.drift.judge import Judgement
from nightjar.stages.drift.sides import Side
from nightjar.stages.drift.texts import damage, shortest_tenth

Fields = Mapping[str, Any]
_LISTED: Final = 20


def evidence(
    found: Judgement,
    sides: tuple[Side, Side],
    manifests: tuple[pa.Table, pa.Table],
    *,
    aside: pa.Table,
    history: Sequence[Fields],
) -> dict[str, Any]:
    """What `drift.json` holds beside the verdict; sides and manifests are (live, candidate), `aside` manifest rows.

    Clusters are left out where nothing in the sample changed, or too little is there to learn from.
    """
    live, night = sides
    is_explained = found.novelty is not None and (found.turnover.added or found.turnover.removed)
    return {
        "sample": {
            "live": {"documents": len(live.documents), "chunks": len(live.texts)},
            "candidate": {"documents": len(night.documents), "chunks": len(night.texts)},
            "added": found.turnover.added,
            "removed": found.turnover.removed,
        },
        "notes": list(found.notes),
        "detectors": [_told(finding) for finding in found.findings],
        "composition": {
            name: {value: list(pair) for value, pair in moved.items()} for name, moved in shares(*manifests).items()
        },
        "clusters": [asdict(cluster) for cluster in clusters(live, night)] if is_explained else [],
        "documents": [
            asdict(each)
            for each in contributors(live, night, found.findings, found.novelty, damage(night, shortest_tenth(live)))
        ],
        "set_aside": _set_aside(aside),
        "history": [dict(each) for each in history],
    }


def _set_aside(rows: pa.Table) -> list[Fields]:
    """The first of them, as the quarantine tells them."""
    names = {"uri": "source_uri", "failure_code": "code", "failure_reason": "reason"}
    told: list[Fields] = rows.select(list(names)).rename_columns(names).slice(0, _LISTED).to_pylist()
    return told


def _told(finding: Finding) -> Fields:
    """Without its carriers, which may be all documents: those that matter stand under `documents`."""
    names = (field.name for field in fields(finding) if field.name != "carriers")
    return {name: getattr(finding, name) for name in names} | {"state": finding.state}
