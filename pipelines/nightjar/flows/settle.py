"""Open a run: end what crashed runs left, prove what is live, and keep what the run was asked for."""

from __future__ import annotations

import logging

from nightjar.flows.disk import refuse_full_disk
from nightjar.flows.erased import erased_sequence
from nightjar.flows.points import Point
from nightjar.flows.restoring import restore_distrusted
from nightjar.flows.runs import Options, Run, find_run, save_run
from nightjar.flows.services import Services
from nightjar.flows.tainted import drop_tainted_vectors
from nightjar.flows.tidying import tidy
from nightjar.lease import Lease

log = logging.getLogger(__name__)


def settle(services: Services, *, run_id: str, actor: str, options: Options, lease: Lease) -> Run:
    """Open the run, or find it again after a retry; the caller holds the lease.

    Raises:
        Misconfigured: a door does not open, or the alias belongs to somebody else.
    """
    if found := find_run(services, run_id):
        return found
    refuse_full_disk(services)
    live = tidy(services, actor=actor, lease=lease)
    live, distrusted = restore_distrusted(services, live, lease=lease, actor=actor)
    if options.decided is None:
        drop_tainted_vectors(services)
    run = Run(
        run_id=run_id,
        actor=actor,
        options=options,
        recipe=services.recipe(),
        started_at=services.clock(),
        live=live,
        erased=erased_sequence(services.state),
        distrusted=distrusted or "",
    )
    save_run(services, run)
    services.passing(Point.SETTLED)
    log.info("settled run=%s live=%s", run_id, live.version if live else None)
    return run
