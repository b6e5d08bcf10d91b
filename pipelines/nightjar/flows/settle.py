"""Before anything is planned: prove the doors, end what crashed runs left, and set the alias to what is live."""

from __future__ import annotations

import logging
import shutil
from typing import Final

from nightjar.artifacts import collection_key
from nightjar.errors import Misconfigured
from nightjar.flows.runs import Options, Run, find_run, save_run
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, Version, read_live, read_version, save_version, version_numbers
from nightjar.model import CollectionName
from nightjar.stages.states import MOVES, State

_LEAST_DISK: Final = 1_000_000_000
log = logging.getLogger(__name__)
_UNFINISHED = (State.BUILDING, State.GATED, State.INDEXING, State.VERIFIED)


def settle(services: Services, *, run_id: str, actor: str, options: Options) -> Run:
    """Open the run, or find it again after a retry; the caller holds the lease.

    Raises:
        Misconfigured: a door does not open, or the alias belongs to somebody else.
    """
    if found := find_run(services, run_id):
        return found
    services.index.check()
    refuse_full_disk(services)
    live = read_live(services.state)
    if live is None:
        services.state.probe()
    project_alias(services, live)
    sweep_unfinished(services, live=live, run_id=run_id, actor=actor)
    run = Run(
        run_id=run_id,
        actor=actor,
        options=options,
        recipe=services.recipe(),
        started_at=services.clock(),
        live=live,
    )
    save_run(services, run)
    log.info("settled run=%s live=%s", run_id, live.version if live else None)
    return run


def refuse_full_disk(services: Services) -> None:
    """Downloads and parser results pass through the working folder; half a night on a full disk helps nobody."""
    services.work_folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(services.work_folder).free
    if free < _LEAST_DISK:
        raise Misconfigured(
            f"{services.work_folder} has {free / 1e9:.1f} GB free, {_LEAST_DISK / 1e9:.1f} GB are needed: make room, or"
            " set NIGHTJAR_WORK to a folder on a larger disk"
        )


def project_alias(services: Services, live: Live | None) -> None:
    """Make the alias say what `live.json` says; a foreign alias is never moved."""
    alias = services.corpus.alias
    standing = services.index.collections()
    if alias in standing:
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
    if live is not None and target != live.collection and live.collection in standing:
        services.index.point(alias, CollectionName(live.collection))
        log.info("alias %s set from %s to %s", alias, target, live.collection)


def is_ours(services: Services, collection: str) -> bool:
    """Does this corpus's state know that collection?"""
    return services.state.exists(collection_key(collection))


def sweep_unfinished(services: Services, *, live: Live | None, run_id: str, actor: str) -> None:
    """Versions whose run lost the lease become `abandoned`, and their half-filled collections go."""
    for number in reversed(version_numbers(services.state)):
        version = read_version(services.state, number)
        if live is not None and number <= live.version:
            break
        if version.state in _UNFINISHED and version.run_id != run_id:
            _abandon(services, version, live=live, actor=actor)


def _abandon(services: Services, version: Version, *, live: Live | None, actor: str) -> None:
    if State.ABANDONED not in MOVES[version.state]:
        return
    left = version.enter(State.ABANDONED, at=services.clock(), actor=actor, reason="its run ended before it was live")
    save_version(services.state, left)
    if version.collection and (live is None or version.collection != live.collection):
        drop_collection(services, version.collection)
    log.info("abandoned version=%s of run=%s", version.number, version.run_id)


def drop_collection(services: Services, name: str) -> None:
    """Remove a collection, then its record: in this order, so that a crash leaves a record and never an orphan."""
    if name in services.index.collections():
        services.index.drop(CollectionName(name))
    services.state.delete([collection_key(name)])
