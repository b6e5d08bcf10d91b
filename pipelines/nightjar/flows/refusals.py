"""A night that would make again what was refused, or what waits already: the same answer, and no new version."""

from __future__ import annotations

import json
from typing import Final

import pyarrow as pa

from nightjar.corpus.questions import golden_questions
from nightjar.flows.manifests import LostBucket, load_manifest, quarantine_of
from nightjar.flows.runs import Run
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_versions, save_version
from nightjar.flows.waiting import reason_to_wait
from nightjar.model import sha256
from nightjar.stages.states import State

_JUDGES: Final = ("quality", "drift", "evaluation")


def judges_digest(services: Services) -> str:
    """Changes when the same content could be judged otherwise: the gates' sections of the corpus file, its questions.

    Raises:
        Misconfigured: the file of golden questions is wrong.
    """
    resolved, golden = services.corpus.resolved(), golden_questions(services.corpus)
    rules = [*(resolved[name] for name in _JUDGES), golden.digest if golden else None]
    return sha256(json.dumps(rules, sort_keys=True))[:16]


def standing_refusal(services: Services, run: Run, target: pa.Table, *, checkout: str) -> Version | None:
    """The newest version of the live one's children, where tonight makes the same and its answer still holds.

    The same is the content, and who is set aside in the manifest `target`. None for a run that was asked to decide, or
    not to promote, and where the gates' rules changed since. One that waits says by its record why it does today.
    """
    if run.options.decided is not None or not run.options.promote:
        return None
    parent = run.live.version if run.live else None
    last = next((version for version in read_versions(services.state) if version.checkout), None)
    if last is None or last.run_id == run.run_id or last.parent != parent:
        return None
    same = (last.checkout, last.recipe, last.judged_by) == (checkout, run.recipe.upto("embed"), judges_digest(services))
    if not same or not _sets_aside(services, last, target):
        return None
    if last.state is State.WAITING and (reason := reason_to_wait(services, run, last, run.live)):
        return _waiting_for(services, run, last, reason)
    return last if last.state is State.REJECTED else None


def _waiting_for(services: Services, run: Run, version: Version, reason: str) -> Version:
    """What it waited for may be over, and something else still stand in its way."""
    if version.reason == reason:
        return version
    told = version.enter(State.WAITING, at=services.clock(), actor=run.actor, reason=reason)
    return save_version(services.state, told)


def _sets_aside(services: Services, version: Version, target: pa.Table) -> bool:
    """Does the version set the same documents aside? One of which a part is lost is not asked."""
    try:
        return bool(quarantine_of(load_manifest(services.state, version.manifest)) == quarantine_of(target))
    except LostBucket:
        return False
