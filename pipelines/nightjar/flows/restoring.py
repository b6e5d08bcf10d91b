"""Another collection for what is live, where its own is gone or cannot be trusted: the version stays what it is."""

from __future__ import annotations

import logging
from dataclasses import replace

from nightjar.errors import HeldBack
from nightjar.flows.checkouts import drop_collection, standing_checkout
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.filling import fill_and_prove
from nightjar.flows.objects import due_rows, without_vectors
from nightjar.flows.promotion import project, retire
from nightjar.flows.services import Services
from nightjar.flows.trust import disagreement
from nightjar.flows.verify import NotTheCheckout
from nightjar.flows.versions import Live, read_live, read_version, save_version, seen_live, write_live
from nightjar.lease import Lease
from nightjar.model import CollectionName

log = logging.getLogger(__name__)


def restore(services: Services, live: Live, *, lease: Lease, actor: str) -> int:
    """Fill a collection from stored vectors, prove it, and send people there; returns how many objects were written.

    One that stands already, as an earlier try may have left it, is not filled again.

    Raises:
        HeldBack: something else went live meanwhile.
        Misconfigured: stored vectors are gone.
        NotTheCheckout: what was filled is no better; it is gone again.
    """
    version, written = read_version(services.state, live.version), 0
    name = standing_checkout(services, version, besides=live.collection)
    if name is None:
        name = fill_and_prove(services, replace(version, run_id=lease.run_id), lease=lease)
        written = version.counts["chunks"]
    moved = _commit(services, live, name, lease=lease)
    project(services, version, moved, lease=lease, actor=actor)
    drop_collection(services, live.collection, lease=lease)
    name_collection(services, moved)
    return written


def restore_distrusted(
    services: Services, live: Live | None, *, lease: Lease, actor: str
) -> tuple[Live | None, str | None]:
    """Before a night plans, what is live is put right as it is, whatever becomes of tonight's version.

    Returns what is live then, and why that cannot be trusted: where stored vectors are gone, too, nothing is done, and
    the night makes them again, in a version of its own.
    """
    if live is None:
        return None, None
    if name_collection(services, live):
        retire(services, lease=lease)  # an earlier restoring died before it had cleared up
    wrong = disagreement(services, live)
    if wrong is None:
        return live, None
    if without_vectors(services, due_rows(services, read_version(services.state, live.version))).num_rows:
        return live, wrong
    try:
        written = restore(services, live, lease=lease, actor=actor)
    except NotTheCheckout as error:
        log.warning("not restored version=%d: %s", live.version, error)
        return live, wrong
    log.warning("restored version=%d objects=%d: %s", live.version, written, wrong)
    return read_live(services.state), None


def name_collection(services: Services, live: Live) -> bool:
    """The live version's record says where it is, also after a restoring that died; whether it had to be told."""
    version = read_version(services.state, live.version)
    if version.collection == live.collection:
        return False
    save_version(services.state, replace(version, collection=live.collection))
    return True


def _commit(services: Services, seen: Live, name: CollectionName, *, lease: Lease) -> Live:
    entry, now = seen_live(services.state)
    if now is None or _place(now) != _place(seen):
        raise HeldBack("what is live was changed while its collection was filled anew: try again")
    lease.verify()
    lease.assure(REQUEST_S)
    moved = replace(now, collection=name, commits=now.commits + 1)
    write_live(services.state, moved, expected=entry)
    return moved


def _place(live: Live) -> tuple[int, str, int | None]:
    return live.version, live.collection, live.returning_to
