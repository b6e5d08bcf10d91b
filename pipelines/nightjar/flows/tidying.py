"""Before a corpus is changed: prove the doors, end what crashed runs left, and set the alias to what is live."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial

from nightjar.errors import Misconfigured
from nightjar.flows.access import read_access
from nightjar.flows.checkouts import (
    Checkout,
    checkouts,
    drop_collection,
    is_ours,
    move_checkout,
    standing_checkout,
)
from nightjar.flows.inplace import end_writing
from nightjar.flows.manifests import load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.points import Point
from nightjar.flows.promotion import project
from nightjar.flows.removal import finish_erasures
from nightjar.flows.rollback import finish_return
from nightjar.flows.services import Services
from nightjar.flows.spreading import spread_access
from nightjar.flows.versions import Live, Version, read_live, read_version, save_version, version_numbers
from nightjar.lease import Lease
from nightjar.model import CollectionName
from nightjar.stages.states import MOVES, State
from nightjar.stages.strategy import Strategy

log = logging.getLogger(__name__)
_UNFINISHED = (State.BUILDING, State.GATED, State.INDEXING, State.VERIFIED)


def tidy(services: Services, *, actor: str, lease: Lease) -> Live | None:
    """Prove the doors and end what crashed runs left, for whoever is about to change the corpus; what is live.

    Raises:
        Misconfigured: a door does not open, or the alias belongs to somebody else.
    """
    services.index.check()
    live = read_live(services.state)
    if live is None:
        services.state.probe()
    refuse_foreign_alias(services)
    finish_erasures(services, lease=lease)
    spread_access(services, read_access(services), lease=lease)
    end_writings(services, live, lease=lease)
    services.passing(Point.WRITINGS_ENDED)
    live = finish_return(services, lease=lease, actor=actor) or live
    project_alias(services, live, lease=lease)
    if live is not None and (version := read_version(services.state, live.version)).state is not State.LIVE:
        project(services, version, live, lease=lease, actor=actor)  # its run died right after the commit
    sweep_unfinished(services, live=live, actor=actor, lease=lease)
    return live


def end_writings(services: Services, live: Live | None, *, lease: Lease) -> None:
    """Make every collection that a crash left between two versions a checkout again.

    The live one becomes what `live.json` says: that finishes a writing whose version was committed, and undoes any
    other. A collection that was being filled is left to the sweep of its version. Where nothing tells any more what the
    other version had, the live collection is left to be restored, and one that nobody searches goes.
    """
    for entry in checkouts(services):
        held, writing = entry.value, entry.value.writing
        if writing is None or writing.source is None:
            continue
        if held.collection not in services.index.collections():
            continue  # it is gone: the next night restores it, or makes it again
        is_live = live is not None and live.collection == held.collection
        due = live.version if live is not None and is_live else writing.source
        other = writing.source if due == writing.target else writing.target
        if _has_whole_manifest(services, other):
            source, target = (read_version(services.state, number) for number in (other, due))
            end_writing(services, held.collection, source, target, lease=lease)
        elif is_live:
            log.warning("collection=%s is between versions that nobody can tell: it is to be restored", held.collection)
            move_checkout(services.state, entry, Checkout(held.collection, access=held.access, form=held.form))
        else:
            drop_collection(services, held.collection, lease=lease)


def _has_whole_manifest(services: Services, number: int) -> bool:
    """Every bucket of the version can be read, so that a delta from or to it can be made."""
    try:
        load_manifest(services.state, read_version(services.state, number).manifest)
    except Misconfigured as error:
        log.warning("version=%d: %s", number, error)
        return False
    return True


def refuse_foreign_alias(services: Services) -> None:
    """Nobody else's alias is ever moved, and no alias can carry a collection's name."""
    alias = services.corpus.alias
    if alias in services.index.collections():
        raise Misconfigured(
            f"a collection is itself named {alias}, so no alias can be: give this corpus another index.alias, or copy"
            f" that collection's users to the new alias and drop it"
        )
    target = services.index.alias(alias)
    if target is not None and not is_ours(services, target):
        raise Misconfigured(
            f"the alias {alias} points at {target}, which no version of corpus {services.corpus.name} names:"
            f" choose another index.alias, or delete that alias if nobody uses it"
        )


def project_alias(services: Services, live: Live | None, *, lease: Lease) -> None:
    """Make the alias say what `live.json` says."""
    alias = services.corpus.alias
    target = services.index.alias(alias)
    if live is not None and target != live.collection and live.collection in services.index.collections():
        lease.verify()
        services.index.point(alias, CollectionName(live.collection))
        log.info("alias %s set from %s to %s", alias, target, live.collection)


def sweep_unfinished(services: Services, *, live: Live | None, actor: str, lease: Lease) -> None:
    """Versions whose run lost the lease become `abandoned`, and their half-filled collections go."""
    newer = [number for number in version_numbers(services.state) if live is None or number > live.version]
    for version in in_order(partial(read_version, services.state), reversed(newer)):
        if version.state in _UNFINISHED and version.run_id != lease.run_id:
            _abandon(services, version, live=live, actor=actor, lease=lease)
    for entry in checkouts(services):
        if _is_left_over(entry.value, live=live, run_id=lease.run_id):
            drop_collection(services, entry.value.collection, lease=lease)


def _is_left_over(held: Checkout, *, live: Live | None, run_id: str) -> bool:
    """It was being filled, and nobody will go on."""
    writing = held.writing
    if writing is None or writing.source is not None or writing.run_id == run_id:
        return False
    return live is None or live.collection != held.collection


def _abandon(services: Services, version: Version, *, live: Live | None, actor: str, lease: Lease) -> None:
    if version.promoted_by:
        _wait_again(services, version, actor=actor)
        return
    if State.ABANDONED not in MOVES[version.state]:
        return
    left = version.enter(State.ABANDONED, at=services.clock(), actor=actor, reason="its run ended before it was live")
    save_version(services.state, replace(left, collection=None))
    is_live = live is not None and version.collection == live.collection
    if version.collection and version.strategy == Strategy.BLUE_GREEN and not is_live:
        drop_collection(services, version.collection, lease=lease)  # of any other strategy it is another version's
    log.info("abandoned version=%s of run=%s", version.number, version.run_id)


def _wait_again(services: Services, version: Version, *, actor: str) -> None:
    """A person's decision that was cut short costs nothing: the version waits as it did."""
    reason = f"the promotion by {version.promoted_by} did not finish: repeat it"
    back = version.enter(State.WAITING, at=services.clock(), actor=actor, reason=reason)
    save_version(services.state, replace(back, collection=standing_checkout(services, version), promoted_by=""))
    log.info("waits again version=%s", version.number)
