"""Vectors of a model that was not the one its recipe names must not be used again once the model is mended."""

from __future__ import annotations

import logging

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.flows.needs import needs_of
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_version, read_versions, version_numbers
from nightjar.stages.drift import CANARY_DETECTORS
from nightjar.stages.states import State

log = logging.getLogger(__name__)


def drop_tainted_vectors(services: Services) -> None:
    """Delete what only versions name that the model's canary rejected, before a night could take it for its own.

    Until that night a person may still promote such a version. Safe to repeat.

    Raises:
        Misconfigured: a manifest is missing or damaged, so that nobody knows what other versions need.
    """
    numbers = version_numbers(services.state)
    if not numbers or not is_tainted(read_version(services.state, numbers[-1])):
        return
    versions = read_versions(services.state)
    tainted = [version for version in versions if is_tainted(version)]
    theirs = needs_of(services, tainted).by_kind["vectors"]
    others = needs_of(services, [version for version in versions if not is_tainted(version)]).by_kind["vectors"]
    keys: pa.Array = theirs.filter(pc.invert(pc.is_in(theirs, others)))
    services.state.delete(keys.to_pylist())
    log.info("dropped vectors=%d of another model than the recipe's, versions=%s", len(keys), _told(tainted))


def is_tainted(version: Version) -> bool:
    """The canary rejected it, and nobody promoted it."""
    if version.state is not State.REJECTED:
        return False
    drift = version.verdicts.get("drift") or {}
    figures, thresholds = drift.get("figures", {}), drift.get("thresholds", {})
    return any(name in figures and figures[name] > thresholds[name] for name in CANARY_DETECTORS)


def _told(versions: list[Version]) -> str:
    return ",".join(str(version.number) for version in reversed(versions))
