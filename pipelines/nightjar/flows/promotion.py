"""Make a verified version live: `live.json` is the commit, the alias its projection; then retire what is old."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from nightjar.errors import HeldBack, Superseded
from nightjar.flows.gates import candidate
from nightjar.flows.runs import Run
from nightjar.flows.services import Services
from nightjar.flows.settle import drop_collection
from nightjar.flows.versions import (
    Live,
    Version,
    live_entry,
    read_live,
    read_version,
    read_versions,
    save_version,
    write_live,
)
from nightjar.lease import Lease
from nightjar.model import CollectionName
from nightjar.stages.states import State

log = logging.getLogger(__name__)
_COMMIT_S: Final = 15.0
_ONCE_SERVED: Final = (State.RETIRED, State.ROLLED_BACK)


def promote(services: Services, run: Run, *, lease: Lease) -> Live | None:
    """Promote the run's candidate; safe to repeat after a crash at any point. None where there is nothing to promote.

    Raises:
        HeldBack: the corpus is on hold, or the run was asked not to promote; the version waits.
        Superseded: another run went live since this one was settled.
    """
    version = candidate(services, run)
    if version is None:
        return read_live(services.state)
    entry, now = live_entry(services.state), read_live(services.state)
    if now is None or now.version != version.number:
        if (now.version if now else None) != version.parent:
            raise Superseded(f"version {now.version if now else 0} went live since: trigger a new run")
        _hold_back(services, run, version, now)
        now = Live(
            version=version.number,
            collection=str(version.collection),
            run_id=run.run_id,
            promoted_at=services.clock().isoformat(timespec="seconds"),
        )
        lease.assure(_COMMIT_S)
        write_live(services.state, now, expected=entry)
    services.index.point(services.corpus.alias, CollectionName(now.collection))
    _enter_live(services, run, version, now)
    retire(services)
    log.info("promoted run=%s version=%d collection=%s", run.run_id, now.version, now.collection)
    return now


def _hold_back(services: Services, run: Run, version: Version, now: Live | None) -> None:
    if now is not None and now.held:
        reason = f"corpus {services.corpus.name} is on hold: {now.held_reason or 'no reason given'}"
    elif not run.options.promote:
        reason = "the run was asked not to promote"
    else:
        return
    waiting = version.enter(State.WAITING, at=services.clock(), actor=run.actor, reason=reason)
    save_version(services.state, waiting)
    raise HeldBack(f"version {version.number} waits: {reason}")


def _enter_live(services: Services, run: Run, version: Version, now: Live) -> None:
    if version.state is not State.LIVE:
        entered = version.enter(State.LIVE, at=services.clock(), actor=run.actor)
        save_version(services.state, replace(entered, promoted_at=now.promoted_at, reason=""))
    parent = version.parent and read_version(services.state, version.parent)
    if parent and parent.state is State.LIVE:
        retired = parent.enter(State.RETIRED, at=services.clock(), actor=run.actor)
        save_version(services.state, retired)


def retire(services: Services) -> None:
    """Drop old collections beyond `index.keep_collections`; what the alias or `live.json` names is never dropped."""
    live = read_live(services.state)
    kept = {live.collection} if live else set()
    if target := services.index.alias(services.corpus.alias):
        kept.add(target)
    for version in read_versions(services.state):
        if version.collection is None or version.collection in kept:
            continue
        if version.state is State.WAITING or (
            version.state in _ONCE_SERVED and len(kept) < services.corpus.index.keep_collections
        ):
            kept.add(version.collection)
        elif version.state in {*_ONCE_SERVED, State.REJECTED, State.ABANDONED}:
            _drop(services, version)


def _drop(services: Services, version: Version) -> None:
    drop_collection(services, str(version.collection))
    save_version(services.state, replace(version, collection=None))
