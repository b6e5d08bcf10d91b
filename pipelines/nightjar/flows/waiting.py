"""Why a version that passed its gates does not go live by itself, and the one place that lets it wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

import pyarrow.compute as pc

from nightjar.errors import HeldBack
from nightjar.flows.checkouts import read_checkout
from nightjar.flows.inplace import end_writing
from nightjar.flows.manifests import load_manifest, lost_documents, without_content
from nightjar.flows.runs import Run
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, Version, is_made_from, read_live, read_version, read_versions, save_version
from nightjar.lease import Lease
from nightjar.plural import counted
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy


def reason_to_wait(services: Services, run: Run, version: Version, live: Live | None) -> str:
    """A hold, the run's own wish, or another embedding, when people have to ask by it or lose documents to it.

    '' when nothing stands in the way.
    """
    corpus = services.corpus
    if run.options.decided is not None:
        return _unlike_decided(services, read_version(services.state, run.options.decided), version, live)
    if live is not None and live.held:
        return f"corpus {corpus.name} is on hold: {live.held_reason or 'no reason given'}"
    if not run.options.promote:
        return "the run was asked not to promote"
    if live is not None and corpus.embed.switch == "approve":
        served = read_version(services.state, live.version).recipe_parts.get("embed", {})
        ours = version.recipe_parts.get("embed", {})
        if served != ours:
            return (
                f"the embedding changed {_how(served, ours)}: those who search must embed"
                f" their questions anew from the same moment on; `nightjar promote {corpus.name} {version.number}`"
            )
    return _told_lost(services, version, version.counts.get("lost", 0))


def _told_lost(services: Services, version: Version, lost: int) -> str:
    if not lost:
        return ""
    name = services.corpus.name
    return (
        f"{counted(lost, 'document')} that people find now failed under the new embedding and would be lost:"
        f" `nightjar quarantine {name} --version {version.number}` says why;"
        f" repair them, or `nightjar promote {name} {version.number}`"
    )


def _how(served: Mapping[str, str], ours: Mapping[str, str]) -> str:
    if served.get("model") != ours.get("model"):
        return f"from {served.get('model')} to {ours.get('model')}"
    other = sorted(name for name in served.keys() | ours.keys() if served.get(name) != ours.get(name))
    return f"in the {' and '.join(other).replace('_', ' ')} of {ours.get('model')}"


def _unlike_decided(services: Services, decided: Version, version: Version, live: Live | None) -> str:
    """A person approved another embedding than this one, or the loss of other documents."""
    if decided.recipe_parts.get("embed") != version.recipe_parts.get("embed"):
        return f"it is embedded by another recipe than version {decided.number}, which was approved: decide on this one"
    return _told_lost(services, version, _lost_besides(services, decided, version, live))


def _lost_besides(services: Services, decided: Version, version: Version, live: Live | None) -> int:
    """How many documents people would lose that did not fail in the decided version already."""
    if live is None or not version.counts.get("lost"):
        return 0
    served = read_version(services.state, live.version)
    base, target, approved = (load_manifest(services.state, each.manifest) for each in (served, version, decided))
    lost = lost_documents(base, target)
    return len(lost.filter(pc.invert(pc.is_in(lost, without_content(approved)))))


def wait(services: Services, version: Version, *, lease: Lease, actor: str, reason: str) -> NoReturn:
    """Keep the version until a person decides; people find nothing of it meanwhile.

    Raises:
        HeldBack: always.
    """
    waiting = version.enter(State.WAITING, at=services.clock(), actor=actor, reason=reason)
    if version.strategy == Strategy.IN_PLACE:
        waiting = replace(waiting, collection=None)
    save_version(services.state, waiting)  # first: a run that dies on the way back finds that it must not go live
    withdraw(services, waiting, lease=lease)
    raise HeldBack(f"version {version.number} waits: {reason}")


def withdraw(services: Services, version: Version, *, lease: Lease) -> None:
    """Where the version was being written to the live collection, that is again what `live.json` says."""
    live = read_live(services.state)
    entry = read_checkout(services.state, live.collection) if live else None
    writing = entry.value.writing if entry else None
    if live is None or writing is None or writing.target != version.number or live.version == version.number:
        return
    end_writing(services, live.collection, version, read_version(services.state, live.version), lease=lease)


def newest_waiting(services: Services) -> Version | None:
    """What a person would be asked about now: a version that others have overtaken would be another, built anew."""
    live = read_live(services.state)
    versions = read_versions(services.state)
    return next((each for each in versions if each.state is State.WAITING and is_made_from(each, live)), None)
