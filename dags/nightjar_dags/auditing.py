"""What the task of `audit_<corpus>` does. Loaded by running tasks only."""

from __future__ import annotations

import logging
from typing import Final

from airflow.sdk import get_current_context

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack, Misconfigured, Transient
from nightjar.flows.audit import Findings, repair
from nightjar.flows.audit import audit as compare
from nightjar.flows.services import Services
from nightjar.owner import Owner
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
    mended = f"; {found.repaired:,} objects were mended" if found.repaired else ""
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
