"""Make a verified version live: `live.json` is the commit, the alias its projection; then retire what is old."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from nightjar.errors import HeldBack, Superseded
from nightjar.flows.checkouts import checkouts, close_writing, let_go, read_checkout
from nightjar.flows.points import Point
from nightjar.flows.records import RecordEntry
from nightjar.flows.runs import Run, candidate
from nightjar.flows.services import Services
from nightjar.flows.versions import (
    Live,
    Version,
    commits_of,
    is_made_from,
    live_entry,
    read_live,
    read_version,
    read_versions,
    save_version,
    write_live,
)
from nightjar.flows.waiting import reason_to_wait, wait, withdraw
from nightjar.lease import Lease
from nightjar.model import CollectionName
from nightjar.registers import Moved
from nightjar.stages.states import MOVES, State

log = logging.getLogger(__name__)
COMMIT_S: Final = 15.0
_ONCE_SERVED: Final = (State.RETIRED, State.ROLLED_BACK)
_LET_GO: Final = frozenset({*_ONCE_SERVED, State.WAITING, State.REJECTED, State.ABANDONED})


def promote(services: Services, run: Run, *, lease: Lease) -> Live | None:
    """Promote the run's candidate; safe to repeat after a crash at any point. None where there is nothing to promote.

    What somebody decides at that very moment, by a hold, is looked at again.

    Raises:
        HeldBack: the version must wait, or a gate rejected it.
        Superseded: another run went live since this one was settled, or a rollback was asked for meanwhile.
    """
    while True:
        seen = live_entry(services.state)
        try:
            return _promote(services, run, seen=seen, lease=lease)
        except Moved:
            lease.verify()
            if live_entry(services.state) == seen:
                raise


def _promote(services: Services, run: Run, *, seen: RecordEntry | None, lease: Lease) -> Live | None:
    version, now = candidate(services, run), read_live(services.state)
    if version is None:
        return now
    if (now is None or now.version != version.number) and (reason := reason_to_wait(services, run, version, now)):
        require_parent(version, now)
        try:
            wait(services, version, lease=lease, actor=run.actor, reason=reason)
        finally:
            retire(services, lease=lease)  # under a long hold every night makes one more that waits
    if version.state not in {State.VERIFIED, State.LIVE, *_ONCE_SERVED}:
        withdraw(services, version, lease=lease)  # an earlier try died while it let the version wait
        promoting = f"promote {services.corpus.name} {version.number}` decides otherwise"
        remedy = f"run {services.corpus.name}` makes one anew" if version.state is State.ABANDONED else promoting
        raise HeldBack(f"version {version.number} is {version.state}: {version.reason}; `nightjar {remedy}")
    return go_live(services, version, seen=seen, lease=lease, actor=run.actor)


def go_live(services: Services, version: Version, *, seen: RecordEntry | None, lease: Lease, actor: str) -> Live:
    """Commit a verified version and everything that follows from it, each step found done by a repetition.

    Args:
        services: the corpus's doors.
        version: what passed its gates.
        seen: `live.json` as it was when it was decided that nothing stands in the way; a hold or a rollback that
            somebody asked for since then is not overwritten.
        lease: held by the caller.
        actor: who promotes.

    Raises:
        Superseded: its parent is not live (any more), or `live.json` was moved since `seen`.
    """
    now = read_live(services.state)
    if now is None or now.version != version.number:
        require_parent(version, now)
        if now is not None and now.returning_to is not None:
            raise Superseded(f"a rollback to version {now.returning_to} was asked for: trigger a new run after it")
        now = Live(
            version=version.number,
            collection=str(version.collection),
            run_id=version.run_id,
            promoted_at=services.clock().isoformat(timespec="seconds"),
            held=now.held if now else False,
            held_reason=now.held_reason if now else "",
            held_by=now.held_by if now else "",
            held_at=now.held_at if now else "",
            commits=commits_of(now) + 1,
        )
        lease.verify()
        lease.assure(COMMIT_S)
        write_live(services.state, now, expected=seen)
        services.passing(Point.COMMITTED)
    project(services, version, now, lease=lease, actor=actor)
    log.info("promoted version=%d collection=%s", now.version, now.collection)
    return now


def require_parent(version: Version, now: Live | None) -> None:
    """The version was made from what is live now.

    Raises:
        Superseded: it was not.
    """
    if not is_made_from(version, now):
        raise Superseded(f"version {now.version if now else 0} went live since: trigger a new run")


def project(services: Services, version: Version, now: Live, *, lease: Lease, actor: str) -> None:
    """What follows from `live.json`: the collection's record, the alias, the states of versions, retirement.

    Raises:
        Superseded: the lease is lost, or something else is live: whoever came next has done all this for it.
    """
    _require_still(services, now, lease=lease)
    entry = read_checkout(services.state, now.collection)
    if entry is None or entry.value.version != version.number or entry.value.writing is not None:
        close_writing(services, now.collection, version)
    services.passing(Point.RECORDED)
    _require_still(services, now, lease=lease)
    services.index.point(services.corpus.alias, CollectionName(now.collection))
    services.passing(Point.ALIASED)
    _require_still(services, now, lease=lease)
    versions = enter_live(services, now, actor=actor)
    services.passing(Point.ENTERED)
    _require_still(services, now, lease=lease)
    retire(services, lease=lease, versions=versions)
    services.passing(Point.RETIRED)


def _require_still(services: Services, now: Live, *, lease: Lease) -> None:
    """A run that was stopped after its commit, and wakes up when others went on, undoes nothing of theirs."""
    lease.assure(COMMIT_S)
    live = read_live(services.state)
    if live is None or (live.version, live.collection) != (now.version, now.collection):
        raise Superseded(f"version {live.version if live else 0} went live since: nothing is left to do for this run")


def enter_live(services: Services, now: Live, *, actor: str) -> list[Version]:
    """Every version that still claims to be live is retired, or rolled back; then the live one's record says so.

    A version that the live one was built in place of is over, too. Returns all versions, as they stand afterwards.
    """
    live = read_version(services.state, now.version)
    others = (each for each in read_versions(services.state) if each.number != live.number)
    left = [_left(services, each, live, now, actor=actor) for each in others]
    if live.state is not State.LIVE:
        entered = live.enter(State.LIVE, at=services.clock(), actor=actor)
        entered = replace(entered, promoted_at=now.promoted_at, collection=now.collection, reason="")
        live = save_version(services.state, entered)
    return [live, *left]


def _left(services: Services, version: Version, live: Version, now: Live, *, actor: str) -> Version:
    """A version beside the live one, its record saved where that said otherwise."""
    if version.number == live.rebuilds and State.ABANDONED in MOVES[version.state]:
        reason = f"rebuilt as version {live.number}"
        entered = version.enter(State.ABANDONED, at=services.clock(), actor=actor, reason=reason)
        return save_version(services.state, entered)
    if version.state is not State.LIVE:
        return version
    after = State.RETIRED if version.number < now.version else State.ROLLED_BACK
    reason = "" if after is State.RETIRED else now.held_reason
    entered = version.enter(after, at=services.clock(), actor=actor, reason=reason)
    return save_version(services.state, _without_lost_collection(services, entered))


def _without_lost_collection(services: Services, version: Version) -> Version:
    """A collection that was written over is no longer the version's."""
    entry = read_checkout(services.state, version.collection) if version.collection else None
    stands = entry is not None and entry.value.checkout == version.checkout
    return version if stands else replace(version, collection=None)


def retire(services: Services, *, lease: Lease, versions: Sequence[Version] | None = None) -> None:
    """Drop old collections beyond `index.keep_collections`; what the alias or `live.json` names is never dropped.

    A collection stays by what it holds now (its record), newest version first. Of those whose version waits the newest
    stays; an older one is filled again from stored vectors if somebody promotes it after all. `versions` are all of
    them, where the caller has just read them.
    """
    live = read_live(services.state)
    kept = {live.collection} if live else set()
    if target := services.index.alias(services.corpus.alias):
        kept.add(target)
    known = {each.number: each for each in versions or read_versions(services.state)}
    waiting = max((number for number, each in known.items() if each.state is State.WAITING), default=None)
    held = [entry.value for entry in checkouts(services) if entry.value.writing is None]
    for checkout in sorted(held, key=lambda each: -each.version):
        version = known.get(checkout.version)
        if checkout.collection in kept or version is None:
            continue
        if live is not None and version.number == live.version:
            let_go(services, checkout.collection, lease=lease)  # what is live was filled anew beside it
            continue
        room = len(kept) < services.corpus.index.keep_collections
        if version.number == waiting or (version.state in _ONCE_SERVED and room):
            kept.add(checkout.collection)
        elif version.state in _LET_GO and let_go(services, checkout.collection, lease=lease):
            save_version(services.state, replace(version, collection=None))
