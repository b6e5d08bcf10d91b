"""Quarantine is a view: rows of a version's manifest whose last attempt failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow.compute as pc

from nightjar.flows.manifests import load_manifest
from nightjar.flows.services import Services
from nightjar.flows.versions import Version

_COLUMNS: Final[Mapping[str, str]] = {
    "document_id": "document_id",
    "source_uri": "uri",
    "stage": "failure_stage",
    "code": "failure_code",
    "reason": "failure_reason",
    "attempts": "attempts",
    "first_seen": "first_failed_at",
    "last_seen": "last_failed_at",
}


def quarantined(services: Services, version: Version) -> list[dict[str, Any]]:
    """Each document set aside in `version`, by uri, as `quarantine --json` promises it; times are ISO 8601."""
    manifest = load_manifest(services.state, version.manifest)
    failed = manifest.filter(pc.is_valid(manifest["failure_code"])).sort_by("uri")
    rows: list[dict[str, Any]] = failed.select(list(_COLUMNS.values())).rename_columns(list(_COLUMNS)).to_pylist()
    return rows
