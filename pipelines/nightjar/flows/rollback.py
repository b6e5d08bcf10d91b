"""Go back to an earlier version, and stay there: first the hold, then the lease, then one commit.

The hold says where the way leads (`live.json`, `returning_to`). Runs that see it end, so that the lease comes free; a
rollback that dies is finished by whoever takes the lease next.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from nightjar.artifacts import version_key
from nightjar.errors import HeldBack, Misconfigured, Superseded
from nightjar.flows.checkouts import open_writing, standing_checkout
from nightjar.flows.filling import fill_and_prove
from nightjar.flows.inplace import bring
from nightjar.flows.objects import due_rows, require_vectors
from nightjar.flows.points import Point
from nightjar.flows.promotion import COMMIT_S, project
from nightjar.flows.services import Services
from nightjar.flows.strategies import obstacle_between
from nightjar.flows.verify import NotTheCheckout, verify_checkout
from nightjar.flows.versions import Live, Version, read_live, read_version, read_versions, seen_live, write_live
from nightjar.lease import Lease
from nightjar.model import CollectionName

log = logging.getLogger(__name__)
# People wait: documents that are compared, and newest chunks that are searched for (a killed server loses the newest).
_LOOKED_AT: Final = 10
_ASKED: Final = 32


def ask_return(services: Services, *, to: int | None, reason: str, actor: str = "") -> Live:
    """Put the corpus on hold and say where to go back to; needs no lease, and defeats a promotion under way.

    Args:
        services: the corpus's doors.
        to: a version that was live once; None: the one that the live version followed.
        reason: for people, kept with the hold.
        actor: who asks, kept with the hold.

    Raises:
        Misconfigured: there is no such version, it was never live, or its stored vectors are gone.
        Superseded: somebody else moved `live.json` at this moment.
    """
    entry, live = seen_live(services.state)
    if live is None:
        raise nothing_live(services)
    target = _target(services, live, to)
    if standing_checkout(services, target, asked=0) is None:
        require_vectors(services, due_rows(services, target))  # before the hold: a way back that cannot be gone
    told = reason or f"rolled back from version {live.version} to {target.number}"
    asked = replace(
        live,
        held=True,
        held_reason=told,
        returning_to=target.number,
        held_by=actor,
        held_at=services.clock().isoformat(timespec="seconds"),
    )
    write_live(services.state, asked, expected=entry)
    services.passing(Point.HELD)
    return asked


def nothing_live(services: Services) -> Misconfigured:
    """What says that there is nothing to go back from, and how there comes to be."""
    name = services.corpus.name
    return Misconfigured(f"corpus {name} has nothing live to go back from: `nightjar run {name}` makes a version live")


def way_back(services: Services, live: Live) -> str:
    """What a person can do who does not want the live version, as the end of a sentence."""
    if version_before(services, live) is not None:
        return f"`nightjar rollback {services.corpus.name}` goes back to the one before it"
    return _instead(services, live)


def _instead(services: Services, live: Live) -> str:
    name = services.corpus.name
    served = [str(each.number) for each in read_versions(services.state) if each.promoted_at]
    others = [number for number in served if number != str(live.version)]
    if not others:
        mended = f"mend the documents or the corpus file, and `nightjar run {name}` makes the next"
        return f"there is no other to go back to; {mended}"
    return f"`nightjar rollback {name} --to N` goes to one of {', '.join(others)}"


def version_before(services: Services, live: Live) -> int | None:
    """Where a rollback without a number leads; None where that version was swept, and from the first one."""
    parent = read_version(services.state, live.version).parent
    return parent if parent is not None and services.state.exists(version_key(parent)) else None


def _target(services: Services, live: Live, to: int | None) -> Version:
    number = to if to is not None else version_before(services, live)
    if number is None:
        raise Misconfigured(
            f"version {live.version} is the first that corpus {services.corpus.name} still has, nothing is before it:"
            f" {_instead(services, live)}"
        )
    if number == live.version:
        raise Misconfigured(f"version {number} is live already: {_instead(services, live)}")
    target = read_version(services.state, number)
    if target.promoted_at is None:
        told = f"version {number} is {target.state} and was never live"
        raise Misconfigured(f"{told}: {_instead(services, live)}")
    return target


def finish_return(services: Services, *, lease: Lease, actor: str) -> Live | None:
    """Go where `live.json` says, under the lease; None where no rollback is under way."""
    live = read_live(services.state)
    if live is None or live.returning_to is None:
        return None
    target = read_version(services.state, live.returning_to)
    collection = _checked_out(services, live, target, lease=lease)
    entry, now = seen_live(services.state)
    if now is None or now.returning_to != target.number:
        raise Superseded("the rollback was changed by somebody else meanwhile: look at `nightjar versions`")
    back = replace(
        now,
        version=target.number,
        collection=collection,
        run_id=target.run_id,
        promoted_at=services.clock().isoformat(timespec="seconds"),
        returning_to=None,
        commits=now.commits + 1,
    )
    lease.verify()
    lease.assure(COMMIT_S)
    write_live(services.state, back, expected=entry)
    services.passing(Point.COMMITTED)
    project(services, target, back, lease=lease, actor=actor)
    log.info("rolled back from=%d to=%d collection=%s", live.version, target.number, collection)
    return back


def _checked_out(services: Services, live: Live, target: Version, *, lease: Lease) -> CollectionName:
    """A collection that holds the target: one that stands, else the live one by the reverse delta, else a new one."""
    if (standing := standing_checkout(services, target, asked=_ASKED)) and _proved(services, standing, target):
        return standing
    source = read_version(services.state, live.version)
    run_id = f"rollback-{live.version}-{target.number}"
    if obstacle_between(services, source, target, live):
        return fill_and_prove(services, replace(target, run_id=run_id), lease=lease)
    name = CollectionName(live.collection)
    open_writing(services, name, target, run_id=run_id)
    services.passing(Point.WRITING)
    written = bring(services, name, source, target, lease=lease)
    verify_checkout(services, name, target, written=written.sample)
    return name


def _proved(services: Services, name: CollectionName, target: Version) -> bool:
    """By a small sample, as people wait: nobody has looked at the collection since they were sent elsewhere."""
    try:
        verify_checkout(services, name, target, written=(), documents=_LOOKED_AT)
    except NotTheCheckout as error:
        log.warning("not taken for version=%d: %s", target.number, error)
        return False
    return True


def hold(services: Services, *, reason: str, actor: str = "") -> Live:
    """Stop promotions until `unhold`; runs go on building and judging.

    Raises:
        Misconfigured: nothing is live yet.
    """
    return _held(services, held=True, reason=reason, actor=actor)


def unhold(services: Services) -> Live:
    """Let runs promote again.

    Raises:
        Misconfigured: nothing is live yet.
        HeldBack: a rollback is under way.
    """
    return _held(services, held=False, reason="", actor="")


def _held(services: Services, *, held: bool, reason: str, actor: str) -> Live:
    entry, live = seen_live(services.state)
    if live is None:
        raise Misconfigured(f"corpus {services.corpus.name} has nothing live: there is nothing to hold yet")
    if live.returning_to is not None:
        raise HeldBack(f"a rollback to version {live.returning_to} is under way: `nightjar rollback` finishes it")
    since = services.clock().isoformat(timespec="seconds") if held else ""
    moved = replace(live, held=held, held_reason=reason, held_by=actor, held_at=since)
    write_live(services.state, moved, expected=entry)
    return moved
