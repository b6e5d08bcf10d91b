"""Bring a version into its collection by its strategy, and prove that it is there; or take it back."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from nightjar.errors import HeldBack
from nightjar.flows.access import read_access
from nightjar.flows.checkouts import claim_collection, close_writing, drop_collection, open_writing
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.graph import RECENT
from nightjar.flows.inplace import WINDOW, Written, bring, end_writing
from nightjar.flows.objects import checkout, due_rows, require_vectors, schema_of
from nightjar.flows.points import Point
from nightjar.flows.services import Services
from nightjar.flows.verify import NotTheCheckout, verify_checkout
from nightjar.flows.versions import Live, Version, read_live, read_version, save_version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.stages.nearest import Nearest
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy

log = logging.getLogger(__name__)


def check_out(services: Services, version: Version, live: Live | None, *, lease: Lease, actor: str) -> Written:
    """Bring a version into its collection by its strategy; safe to repeat after a crash at any point."""
    if version.strategy == Strategy.SHARED:
        services.index.extend(CollectionName(str(version.collection)), schema_of(services, version).properties)
        return Written()
    if version.strategy == Strategy.IN_PLACE and live is not None:
        version = save_version(services.state, _entering(services, version, live.collection, actor=actor))
        open_writing(services, live.collection, version, run_id=version.run_id)
        services.passing(Point.WRITING)
        source = read_version(services.state, live.version)
        return bring(services, CollectionName(live.collection), source, version, lease=lease)
    if version.collection is None:
        name = claim_collection(services, version)
        services.passing(Point.CLAIMED)
        version = save_version(services.state, _entering(services, version, name, actor=actor))
    written = fill(services, CollectionName(str(version.collection)), version, lease=lease)
    return Written(written=written)


def _entering(services: Services, version: Version, collection: str, *, actor: str) -> Version:
    if version.state is State.INDEXING:
        return replace(version, collection=collection)
    entered = version.enter(State.INDEXING, at=services.clock(), actor=actor)
    return replace(entered, collection=collection)


def fill(services: Services, name: CollectionName, version: Version, *, lease: Lease) -> int:
    """Make a collection of its own and write the whole version to it, every object confirmed; returns how many.

    What an earlier try left of it goes first: writing the same again would mend no place that a killed server lost.
    """
    access = read_access(services)
    rows = due_rows(services, version, access)
    require_vectors(services, rows)
    lease.assure(REQUEST_S)
    if name in services.index.collections():
        services.index.drop(name)
    services.index.create(name, schema_of(services, version))
    services.passing(Point.CREATED)
    nearest = Nearest(keep_last=RECENT)
    lease.assure(REQUEST_S)
    written = services.index.write(name, _paced(services, nearest.watch(checkout(services, rows)), version, lease))
    services.passing(Point.FILLED)
    close_writing(services, name, version, probes=nearest.as_json(), access=access.sequence, recent=tuple(nearest.last))
    services.passing(Point.CHECKED_OUT)
    log.info("filled version=%d collection=%s objects=%d", version.number, name, written)
    return written


def _paced(services: Services, objects: Iterator[IndexObject], version: Version, lease: Lease) -> Iterator[IndexObject]:
    """Before each batch the lease must outlive the request, so that a run that lost it writes nothing more."""
    total = version.counts["chunks"]
    for number, item in enumerate(objects, start=1):
        if number % WINDOW == 0 or number == total:
            lease.assure(REQUEST_S)
            services.progress("index", number, total)
        yield item


def fill_and_prove(services: Services, version: Version, *, lease: Lease) -> CollectionName:
    """A collection of its own for a version that was live once; what fails the proof goes again.

    Raises:
        NotTheCheckout: the collection is not the version's checkout.
    """
    name = claim_collection(services, version)
    services.passing(Point.CLAIMED)
    fill(services, name, version, lease=lease)
    try:
        verify_checkout(services, name, version)
    except NotTheCheckout:
        drop_collection(services, name, lease=lease)
        raise
    return name


def prove(
    services: Services, version: Version, *, lease: Lease, actor: str, written: Sequence[ChunkId] = ()
) -> Mapping[str, Any]:
    """Verify a version's collection and say so in its record."""
    if version.strategy == Strategy.IN_PLACE:
        name = CollectionName(str(version.collection))
        try:
            figures = verify_checkout(services, name, version, written=written)
        except NotTheCheckout as error:
            take_back(services, version, lease=lease, actor=actor, reason=str(error))
    else:
        version, figures = _proved_apart(services, version, lease=lease, actor=actor)
    save_version(services.state, version.enter(State.VERIFIED, at=services.clock(), actor=actor))
    services.passing(Point.VERIFIED)
    log.info(
        "verified version=%d collection=%s objects=%d recall=%.3f",
        *(version.number, version.collection, version.counts["chunks"], figures["recall"]),
    )
    return figures


def _proved_apart(
    services: Services, version: Version, *, lease: Lease, actor: str
) -> tuple[Version, Mapping[str, float]]:
    """A collection that nobody is sent to yet is filled anew, once, where it is not the checkout.

    Writing the same again would mend neither a foreign object nor a place in the vector index that the server lost.
    """
    name = CollectionName(str(version.collection))
    try:
        return version, verify_checkout(services, name, version)
    except NotTheCheckout as error:
        lease.assure(REQUEST_S)
        log.warning("filling version=%d anew: %s", version.number, error)
    if version.strategy == Strategy.SHARED:
        name = claim_collection(services, version)
        chosen = replace(version, strategy=Strategy.BLUE_GREEN)
        version = save_version(services.state, _entering(services, chosen, name, actor=actor))
    fill(services, name, version, lease=lease)
    return version, verify_checkout(services, name, version)


def take_back(
    services: Services, version: Version, *, lease: Lease, actor: str, reason: str, holds: bool = False
) -> NoReturn:
    """The reverse delta at once: the live collection is again what `live.json` says, the version is rejected.

    Where the answer `holds`, the same content gets it again without being written; else it is tried again.
    """
    live = read_live(services.state)
    if live is None:
        raise HeldBack(reason)
    standing = read_version(services.state, live.version)
    end_writing(services, live.collection, version, standing, lease=lease)
    rejected = version.enter(State.REJECTED, at=services.clock(), actor=actor, reason=reason)
    save_version(services.state, replace(rejected, collection=None, judged_by=version.judged_by if holds else ""))
    raise HeldBack(f"version {version.number} is rejected, and what it wrote is taken back: {reason}")
