"""How a run of `reindex_<corpus>` ends: its report, however far it came, and what it left for a person to approve.

Loaded by running tasks only.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.errors import Superseded
from nightjar.flows import night as whole
from nightjar.flows import planning
from nightjar.flows.questions import question_after
from nightjar.flows.runs import Run, candidate, find_run, read_json, require_current
from nightjar.flows.services import Services

log = logging.getLogger(__name__)


def broken_tasks(context: Mapping[str, Any]) -> list[str]:
    """Names of this run's tasks that failed by themselves; mapped ones end in their number."""
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, run_ids=[context["run_id"]])
    return sorted(name for name, state in states.get(context["run_id"], {}).items() if state == "failed")


def keep_report(services: Services, run_id: str, *, broken: Sequence[str]) -> Mapping[str, Any] | None:
    """Write and return the run's report.

    None where the run broke before its gate, so that nothing can be said of it, and where a later run went live since
    the report was written: that stays as it was.
    """
    run = find_run(services, run_id)
    if run is None or not _is_told(services, run):
        log.info("run=%s ended before its gate, so there is no report; failed: %s", run_id, ", ".join(broken) or "none")
        return None
    if read_json(services, run, "report.json") is not None and _is_overtaken(services, run):
        log.info("run=%s is over: its report stays as it was", run_id)
        return None
    version = candidate(services, run)
    explained = planning.plan(services, run).held or (version and version.reason)
    reason = f"failed: {', '.join(broken)}; the last line of a task's log says why" if broken and not explained else ""
    report = whole.finish(services, run, reason=reason)
    log.info(
        "finished run=%s state=%s version=%s reason=%s",
        *(run_id, report["state"], report["version"], report["reason"] or "none"),
    )
    return report


def question_of(services: Services, run_id: str) -> str | None:
    """The name of what the run left open; None where nothing waits."""
    run = find_run(services, run_id)
    question = question_after(services, run) if run else None
    return question.name if question else None


def _is_told(services: Services, run: Run) -> bool:
    """The run came to its gate, or its plan waits for approval."""
    if read_json(services, run, "version.json") is not None:
        return True
    made = read_json(services, run, "plan.json")
    return bool(made and made["held"])


def _is_overtaken(services: Services, run: Run) -> bool:
    try:
        require_current(services, run)
    except Superseded:
        return True
    return False
