"""What the tasks of `audit_<corpus>` do. Loaded by running tasks only."""

from __future__ import annotations

import logging
from typing import Final

from airflow.sdk import get_current_context

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack, Misconfigured, Transient
from nightjar.flows import sweeping
from nightjar.flows.audit import Findings, repair
from nightjar.flows.audit import audit as compare
from nightjar.flows.fence import holding
from nightjar.flows.services import Services
from nightjar.flows.sweeping import Swept
from nightjar.owner import Owner
from nightjar.plural import counted
from nightjar_dags.session import opened

log = logging.getLogger(__name__)
_KINDS: Final = ("missing", "orphan", "wrong_vector", "wrong_properties")


def audit(corpus: Corpus) -> str:
    """Compare the index with its manifest, after mending it where that was asked for."""
    context = get_current_context()
    owner = Owner.one_run(context["dag"].dag_id, context["run_id"])
    with opened(corpus) as services:
        found = found_in(services, run_id=f"audit-{context['run_id']}", owner=owner, mend=context["params"]["repair"])
    return judged(corpus.name, found)


def sweep(corpus: Corpus) -> str:
    """Delete what nobody needs any more."""
    context = get_current_context()
    owner = Owner.one_run(context["dag"].dag_id, context["run_id"])
    with opened(corpus) as services:
        swept = swept_in(services, run_id=f"sweep-{context['run_id']}", owner=owner)
    for name in swept.orphans:
        log.warning("%s: collection %s has this corpus's name and no record", corpus.name, name)
    sentence = f"deleted {counted(sum(swept.objects.values()), 'object')}, {swept.size / 1e6:,.1f} MB"
    log.info("%s: %s", corpus.name, sentence)
    return sentence


def swept_in(services: Services, *, run_id: str, owner: Owner) -> Swept:
    """What was deleted, under the lease.

    Raises:
        Transient: a run is at work, or somebody asks for a rollback; it will be over.
    """
    try:
        with holding(services, run_id=run_id, owner=owner) as (fenced, lease):
            return sweeping.sweep(fenced, lease=lease, actor=owner.name)
    except HeldBack as held:
        raise Transient(str(held)) from held


def found_in(services: Services, *, run_id: str, owner: Owner, mend: bool) -> Findings:
    """What differs.

    Raises:
        Transient: a run is at work; it will be over.
    """
    try:
        return repair(services, run_id=run_id, owner=owner) if mend else compare(services)
    except HeldBack as held:
        raise Transient(str(held)) from held


def judged(corpus: str, found: Findings) -> str:
    """The sentence for a sound index.

    Raises:
        Misconfigured: the index is not the manifest's checkout; carries the counts.
    """
    report = found.as_json(corpus)
    for problem in found.problems:
        log.warning("%s: %s", corpus, problem)
    for kind in _KINDS:
        if report[kind]:
            log.warning("%s %s: %s", corpus, kind, ", ".join(report["examples"][kind]))
    for number in found.given_up:
        log.warning("%s: version %d is given up: its manifest was lost, and nothing tells what it had", corpus, number)
    mended = f"; {counted(found.repaired, 'object was', 'objects were')} mended" if found.repaired else ""
    mended += f"; manifest rows of {counted(found.rebuilt, 'document')} were made again" if found.rebuilt else ""
    if not found.ok:
        counts = ", ".join(f"{report[kind]:,} {kind.replace('_', ' ')}" for kind in _KINDS)
        more = f", {'; '.join(found.problems)}" if found.problems else ""
        raise Misconfigured(
            f"version {found.version} differs from its manifest: {counts}{more}{mended}; trigger audit_{corpus} with"
            " repair to mend it from stored vectors"
        )
    sentence = f"version {found.version} is what its manifest says{mended}"
    log.info("%s: %s", corpus, sentence)
    return sentence
