"""What the task of `evaluate_<corpus>` does. Loaded by running tasks only."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from nightjar.corpus import Corpus
from nightjar.corpus.questions import why_none
from nightjar.errors import HeldBack
from nightjar.flows.scoring_again import score_again
from nightjar_dags.session import opened

log = logging.getLogger(__name__)


def evaluate(corpus: Corpus) -> dict[str, Any]:
    """Score what is live; its verdict. Skipped where the corpus has no questions."""
    refuse_without_questions(corpus)
    with opened(corpus) as services:
        report = score_again(services, number=None, by=get_current_context()["run_id"])
    return told(report)


def refuse_without_questions(corpus: Corpus) -> None:
    """End skipped, before any door is opened.

    Raises:
        AirflowSkipException: the corpus file names no questions; says how to get some.
    """
    if corpus.evaluation.questions is None:
        raise AirflowSkipException(why_none(corpus))


def told(report: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict for whoever reads the task's result.

    Raises:
        HeldBack: it is red; such a version would not go live.
    """
    if report["state"] == "fail":
        raise HeldBack(f"version {report['version']} answers its questions worse than it may: {report['reason']}")
    sentence = f"version {report['version']}: {report['state']}" + (f", {report['reason']}" if report["reason"] else "")
    log.info("%s: %s; the report: %s", report["corpus"], sentence, report["report"])
    return {name: report[name] for name in ("version", "state", "reason", "figures", "report")}
