"""What two versions differ in, document by document, as people decide by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from nightjar.flows.manifests import differing, indexed, load_manifest
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_version
from nightjar.recipe import Recipe


def documents_apart(services: Services, before: int, after: int) -> dict[str, list[str]]:
    """Addresses of what is searchable in one of two versions only, or differs between them."""
    ours, theirs = (_rows(services, read_version(services.state, number)) for number in (before, after))
    apart = set(differing(ours, theirs).to_pylist())
    here, there = _uris(ours, apart), _uris(theirs, apart)
    return {
        "added": sorted(there[each] for each in there.keys() - here.keys()),
        "changed": sorted(there[each] for each in there.keys() & here.keys()),
        "removed": sorted(here[each] for each in here.keys() - there.keys()),
    }


def recipe_apart(services: Services, before: int, after: int) -> list[str]:
    """What else the two were made by, as `embed.model: a → b`."""
    ours, theirs = (read_version(services.state, number).recipe_parts for number in (before, after))
    return Recipe.from_json(ours).difference(Recipe.from_json(theirs))


def _rows(services: Services, version: Version) -> pa.Table:
    return indexed(load_manifest(services.state, version.manifest))


def _uris(rows: pa.Table, wanted: set[Any]) -> Mapping[str, str]:
    pairs = zip(rows["document_id"].to_pylist(), rows["uri"].to_pylist(), strict=True)
    return {document: uri for document, uri in pairs if document in wanted}
