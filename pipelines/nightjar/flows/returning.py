"""A rollback from the wish to its end: hold, wait for the run under way to notice, go back, let the next run begin."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

from nightjar.clock import SYSTEM_CLOCK, Clock
from nightjar.errors import HeldBack, Superseded
from nightjar.flows.fence import releasing
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return, nothing_live
from nightjar.flows.services import Services
from nightjar.flows.tidying import tidy
from nightjar.flows.versions import Live, read_live, read_version
from nightjar.lease import Lease
from nightjar.owner import Decider
from nightjar.stages.states import State

log = logging.getLogger(__name__)
_PATIENCE_S: Final = 600.0
_PAUSE_S: Final = 2.0
_TRIES: Final = 5  # each lost to a promotion that committed at that moment


def go_back(services: Services, *, to: int | None, by: Decider, clock: Clock = SYSTEM_CLOCK) -> Live:
    """Serve an earlier version again, and hold the corpus there; the same call finishes one that died.

    Args:
        services: the corpus's doors; neither model nor parser is opened.
        to: a version that was live once; None: the one before the live one, or where a rollback under way leads.
        by: who wants it.
        clock: to wait by.

    Raises:
        Misconfigured: there is no such version, or it was never live.
        HeldBack: the run under way did not end in ten minutes; the hold stands, and the next run goes back.
    """
    _ask(services, to=to, by=by)
    lease = _awaited(services, by=by, clock=clock)
    with releasing(services, lease) as fenced:
        services.passing(Point.LEASED)
        live = tidy(fenced, actor=by.actor, lease=lease)
    if live is None:
        raise nothing_live(services)
    return live


def _ask(services: Services, *, to: int | None, by: Decider) -> None:
    for _ in range(_TRIES - 1):
        with suppress(Superseded):
            return _ask_once(services, to=to, by=by)
    return _ask_once(services, to=to, by=by)


def _ask_once(services: Services, *, to: int | None, by: Decider) -> None:
    live = read_live(services.state)
    if live is None or not _is_under_way(services, live, to=to):
        ask_return(services, to=to, reason=by.reason, actor=by.actor)


def _is_under_way(services: Services, live: Live, *, to: int | None) -> bool:
    """Asked for and not committed yet, or committed and not yet written into the versions' records."""
    if live.returning_to is not None:
        return to in {None, live.returning_to}
    served_before = read_version(services.state, live.version).state in {State.RETIRED, State.ROLLED_BACK}
    return live.held and served_before and to in {None, live.version}


def _awaited(services: Services, *, by: Decider, clock: Clock) -> Lease:
    """The lease, once the run under way has seen where the corpus goes."""
    begun = clock.ticks()
    while True:
        try:
            return Lease.acquire(
                services.state, run_id=by.run_id, owner=by.owner, ttl_s=services.lease_ttl_s, clock=clock
            )
        except HeldBack as held:
            waited = clock.ticks() - begun
            if waited >= _PATIENCE_S:
                raise HeldBack(
                    f"{held}; the corpus is on hold, and goes back as soon as that run has ended: repeat the rollback"
                ) from held
            log.info("waiting for the run under way: %s", held)
            services.progress("wait", int(waited), int(_PATIENCE_S))
            clock.sleep(_PAUSE_S)
