"""How a version gets into a collection: by which strategy, and what stands in the way of a delta."""

from __future__ import annotations

import logging
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.flows.checkouts import read_checkout, standing_checkout
from nightjar.flows.graph import damage
from nightjar.flows.manifests import differing, indexed, load_manifest
from nightjar.flows.objects import schema_of
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, Version, read_version, save_version
from nightjar.model import CollectionName
from nightjar.stages.strategy import Facts, Strategy, choose, obstacle

log = logging.getLogger(__name__)


def with_strategy(services: Services, version: Version, live: Live | None, *, full_refresh: bool) -> Version:
    """Decided once, and kept with the version: a retry must not change its mind half-way."""
    if version.strategy:
        return version
    if shared := _standing_and_fit(services, version):
        chosen = replace(version, strategy=Strategy.SHARED, collection=shared)
    else:
        rules = services.corpus.index
        facts = _facts(services, version, live, full_refresh=full_refresh)
        strategy = choose(facts, asked=rules.strategy, blue_green_below=rules.blue_green_below)
        chosen = replace(version, strategy=strategy)
        log.info("strategy version=%d chosen=%s obstacle=%s", version.number, strategy, facts.obstacle or "none")
    return save_version(services.state, chosen)


def _standing_and_fit(services: Services, version: Version) -> str | None:
    """A standing collection that is the candidate's checkout already: a touched file writes nothing."""
    name = standing_checkout(services, version)
    if name is None or obstacle(services.index.schema(name), schema_of(services, version)):
        return None
    return name


def _facts(services: Services, version: Version, live: Live | None, *, full_refresh: bool) -> Facts:
    chunks = version.counts["chunks"]
    if live is None:
        return Facts("nothing is live", full_refresh, chunks, chunks)
    source = read_version(services.state, live.version)
    standing, due = (indexed(load_manifest(services.state, each.manifest)) for each in (source, version))
    both = pa.concat_tables(each.select(["document_id", "chunks"]) for each in (standing, due))
    touched = both.filter(pc.is_in(both["document_id"], differing(standing, due)))
    larger = touched.group_by("document_id").aggregate([("chunks", "max")])
    return Facts(
        obstacle=obstacle_between(services, source, version, live),
        full_refresh=full_refresh,
        touched=pc.sum(larger["chunks_max"]).as_py() or 0,
        chunks=chunks,
    )


def obstacle_between(services: Services, source: Version, version: Version, live: Live) -> str:
    """Why the live collection cannot become the candidate's checkout by a delta."""
    entry = read_checkout(services.state, live.collection)
    if live.collection not in services.index.collections():
        return f"collection {live.collection} is gone"
    if entry is None or entry.value.checkout != source.checkout:
        return f"collection {live.collection} is not the checkout of version {source.number}"
    if source.recipe_parts.get("embed") != version.recipe_parts.get("embed"):
        return "the embedding changed"
    if services.index.count(CollectionName(live.collection)) != source.counts["chunks"] and entry.value.writing is None:
        return f"collection {live.collection} does not hold what version {source.number} has"
    if lost := damage(services, CollectionName(live.collection), entry.value.recent):
        return lost
    return obstacle(services.index.schema(CollectionName(live.collection)), schema_of(services, version))
