"""What a person decides about a version that does not go live by itself: promote it all the same, or reject it.

A version made from what is live now is promoted as it is. One that others have overtaken is built anew on the present
documents, with what it waited for approved, deletions only as far as it let them go itself; stored vectors are used
again, so that only the difference is computed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from nightjar.clock import stopwatch
from nightjar.errors import Misconfigured, Superseded
from nightjar.flows.approved import carried_over
from nightjar.flows.checkouts import standing_checkout
from nightjar.flows.fence import holding
from nightjar.flows.filling import check_out, prove
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.promotion import go_live, retire
from nightjar.flows.rollback import way_back
from nightjar.flows.runs import Options, find_run
from nightjar.flows.services import Services
from nightjar.flows.strategies import with_strategy
from nightjar.flows.tidying import tidy
from nightjar.flows.versions import (
    Live,
    Version,
    is_made_from,
    keep_seconds,
    live_entry,
    read_live,
    read_version,
    save_version,
)
from nightjar.lease import Lease
from nightjar.model import ChunkId
from nightjar.owner import Decider
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy

log = logging.getLogger(__name__)
_UNDECIDED: Final = (State.WAITING, State.REJECTED)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a version; `live` is what people search afterwards, by `rebuilt` in place of the one asked for."""

    version: int
    state: str
    live: int | None
    rebuilt: int | None = None


def promote(services: Services, number: int, *, by: Decider) -> Decision:
    """Make a version live that waits or was rejected, also under a hold, which stays; safe to repeat after a crash.

    Raises:
        Misconfigured: it was live already, or its run never finished.
        HeldBack: another run is at work, or what was built anew does not pass its gates.
    """
    with _deciding(services, by) as (fenced, lease, live):
        version = read_version(fenced.state, number)
        if live is not None and (heir := _went_live(fenced, version, live)):
            return heir
        _refuse_undecidable(fenced, version, live)
        version = _decided(fenced, version, by=by)
        if is_made_from(version, live):
            now = _promote_as_it_is(fenced, version, live, lease=lease, actor=by.actor)
            return Decision(number, State.LIVE, now.version)
    return _rebuild(services, version, by=by)


def reject(services: Services, number: int, *, by: Decider) -> Decision:
    """A version that waits will never go live; its own collection is dropped. Repeating it changes nothing.

    Raises:
        Misconfigured: it is, or was, live.
        HeldBack: another run is at work.
    """
    with _deciding(services, by) as (fenced, lease, live):
        version = read_version(fenced.state, number)
        if version.state is not State.REJECTED:
            _refuse_undecidable(fenced, version, live)
            told = f"rejected by {by.actor}: {by.reason or 'no reason given'}"
            rejected = version.enter(State.REJECTED, at=services.clock(), actor=by.actor, reason=told)
            save_version(fenced.state, replace(rejected, promoted_by=""))
            log.info("rejected version=%d", number)
        retire(fenced, lease=lease)
    return Decision(number, State.REJECTED, live.version if live else None)


@contextmanager
def _deciding(services: Services, by: Decider) -> Iterator[tuple[Services, Lease, Live | None]]:
    """The doors under the lease, with everything ended that crashes left, and what is live."""
    with holding(services, run_id=by.run_id, owner=by.owner) as (fenced, lease):
        services.passing(Point.LEASED)
        live = tidy(fenced, actor=by.actor, lease=lease)
        try:
            yield fenced, lease, live
        except Superseded:
            lease.verify()
            tidy(fenced, actor=by.actor, lease=lease)  # else what was written would be found until the next run
            raise


def _went_live(services: Services, version: Version, live: Live) -> Decision | None:
    """The decision was carried out already: the version is live, or the one that was built in place of it."""
    if live.version == version.number:
        return Decision(version.number, State.LIVE, live.version)
    if read_version(services.state, live.version).rebuilds == version.number:
        return Decision(version.number, version.state, live.version, rebuilt=live.version)
    return None


def _refuse_undecidable(services: Services, version: Version, live: Live | None) -> None:
    if version.state in _UNDECIDED:
        return
    name, number = services.corpus.name, version.number
    if version.promoted_at is None:
        raise Misconfigured(
            f"version {number} is {version.state} ({version.reason}): `nightjar run {name}` makes one anew"
        )
    if live is not None and live.version == number:
        raise Misconfigured(f"version {number} is live: {way_back(services, live)}")
    raise Misconfigured(
        f"version {number} is {version.state}: `nightjar rollback {name} --to {number}` goes back to it"
    )


def _decided(services: Services, version: Version, *, by: Decider) -> Version:
    """The decision stands in the record before anything follows from it; why it waited stays there, too."""
    told = f"promotion by hand: {by.reason}" if by.reason else "promotion by hand"
    entered = version.enter(version.state, at=services.clock(), actor=by.actor, reason=told)
    return save_version(services.state, replace(entered, reason=version.reason, promoted_by=by.actor))


def _promote_as_it_is(services: Services, version: Version, live: Live | None, *, lease: Lease, actor: str) -> Live:
    seen = live_entry(services.state)
    elapsed = stopwatch()
    version = _placed(services, version, live)
    sample: tuple[ChunkId, ...] = ()
    if version.collection is None or version.strategy == Strategy.SHARED:
        sample = check_out(services, version, live, lease=lease, actor=actor).sample
    indexed = elapsed()
    prove(services, read_version(services.state, version.number), lease=lease, actor=actor, written=sample)
    proved = elapsed()
    now = go_live(services, read_version(services.state, version.number), seen=seen, lease=lease, actor=actor)
    _add_seconds(services, version, {"index": indexed, "verify": proved - indexed, "promote": elapsed() - proved})
    return now


def _add_seconds(services: Services, version: Version, spent: Mapping[str, float]) -> None:
    """To what its night took: that had left undone what a version that waits must not do."""
    known = version.cost.get("seconds", {})
    both = {name: round(known.get(name, 0.0) + seconds, 3) for name, seconds in spent.items()}
    keep_seconds(services.state, version.number, {**known, **both})


def _placed(services: Services, version: Version, live: Live | None) -> Version:
    """With the collection that it filled when it was made, if that still stands; else with a strategy for today."""
    standing = standing_checkout(services, version)
    if standing is not None and version.collection == standing and version.strategy != Strategy.IN_PLACE:
        return version
    anew = replace(version, strategy="", collection=None)
    return with_strategy(services, anew, live, full_refresh=False)


def _rebuild(services: Services, version: Version, *, by: Decider) -> Decision:
    run = find_run(services, version.run_id)
    asked = replace(carried_over(services, run) if run else Options(), promote=True, decided=version.number)
    log.info("rebuilding version=%d in run=%s", version.number, by.run_id)
    report = run_night(services, run_id=by.run_id, owner=by.owner, options=asked, actor=by.actor)
    live = read_live(services.state)
    if report["version"] is None:
        _leave_equal(services, version.number, live, actor=by.actor)
    after = read_version(services.state, version.number)
    return Decision(version.number, after.state, live.version if live else None, rebuilt=report["version"])


def _leave_equal(services: Services, number: int, live: Live | None, *, actor: str) -> None:
    """Built on today's documents it is what people search already."""
    reason = f"built anew it equals version {live.version}, which is live" if live else "nothing differs"
    version = read_version(services.state, number)
    save_version(services.state, version.enter(State.ABANDONED, at=services.clock(), actor=actor, reason=reason))
