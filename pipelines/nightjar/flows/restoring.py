"""Another collection for what is live, where its own is gone or cannot be trusted: the version stays what it is."""

from __future__ import annotations

import logging
from dataclasses import replace

from nightjar.errors import HeldBack
from nightjar.flows.checkouts import claim_collection, drop_collection, standing_checkout
from nightjar.flows.index import fill
from nightjar.flows.inplace import REQUEST_S
from nightjar.flows.objects import due_rows, without_vectors
from nightjar.flows.planning import disagreement
from nightjar.flows.promotion import project
from nightjar.flows.services import Services
from nightjar.flows.verify import verify_checkout
from nightjar.flows.versions import Live, live_entry, read_live, read_version, save_version, write_live
from nightjar.lease import Lease
from nightjar.model import CollectionName

log = logging.getLogger(__name__)


def restore(services: Services, live: Live, *, lease: Lease, actor: str) -> int:
    """Fill a collection from stored vectors, prove it, and send people there; returns how many objects were written.

    One that stands already, as an earlier try may have left it, is not filled again.

    Raises:
        HeldBack: something else went live meanwhile.
        Misconfigured: stored vectors are gone.
    """
    version = read_version(services.state, live.version)
    name, written = standing_checkout(services, version), 0
    if name is None:
        name = claim_collection(services, replace(version, run_id=lease.run_id))
        written = fill(services, name, version, lease=lease)
    verify_checkout(services, name, version)
    moved = _commit(services, live, name, lease=lease)
    project(services, version, moved, actor=actor)
    if live.collection != name:
        drop_collection(services, live.collection)
    name_collection(services, moved)
    return written


def restore_held(services: Services, live: Live | None, *, lease: Lease, actor: str) -> Live | None:
    """On hold no version of tonight goes live, so that what is live must be put right as it is; what is live after.

    Where stored vectors are gone, too, nothing is done: the night makes them again, in a version that waits.
    """
    if live is None or not live.held or (wrong := disagreement(services, live)) is None:
        return live
    if without_vectors(services, due_rows(services, read_version(services.state, live.version))).num_rows:
        return live
    written = restore(services, live, lease=lease, actor=actor)
    log.warning("restored version=%d objects=%d: %s", live.version, written, wrong)
    return read_live(services.state)


def name_collection(services: Services, live: Live) -> None:
    """The live version's record says where it is, also after a restoring that died."""
    version = read_version(services.state, live.version)
    if version.collection != live.collection:
        save_version(services.state, replace(version, collection=live.collection))


def _commit(services: Services, seen: Live, name: CollectionName, *, lease: Lease) -> Live:
    entry, now = live_entry(services.state), read_live(services.state)
    if now is None or _place(now) != _place(seen):
        raise HeldBack("what is live was changed while its collection was filled anew: try again")
    lease.assure(REQUEST_S)
    moved = replace(now, collection=name)
    write_live(services.state, moved, expected=entry)
    return moved


def _place(live: Live) -> tuple[int, str, int | None]:
    return live.version, live.collection, live.returning_to
