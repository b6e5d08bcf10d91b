"""One task's share of a night: doors opened from Airflow's connections, the run's lease held, all of it ended after.

Loaded by running tasks only.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, NoReturn

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from nightjar.corpus import Corpus
from nightjar.errors import Superseded
from nightjar.flows.fence import beating
from nightjar.flows.runs import Run, find_run, require_current, resume
from nightjar.flows.services import Progress, Services
from nightjar.lease import Lease
from nightjar.owner import Owner
from nightjar.settings import Settings
from nightjar.wiring import open_services
from nightjar_dags.connections import doors
from nightjar_dags.retries import LEASE_TTL

log = logging.getLogger(__name__)
_PROGRESS_S: Final = 30.0
ANSWERED_BY: Final = "answered_by"
"""Key of a run's conf: who gave the answer that it was started for."""
_BY_A_TASK: Final = "operator_triggered"
"""Airflow's type of runs that another run's task started; nobody can give a run this type by hand."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a task of a run under way is given."""

    services: Services
    run: Run
    lease: Lease


@contextmanager
def opened(corpus: Corpus) -> Iterator[Services]:
    """The corpus's doors; however the task ends, the processes that it started end with it."""
    settings = Settings.from_environment(os.environ)
    with ending_on_sigterm():
        services = open_services(corpus, settings, doors=doors(corpus), progress=paced(every_s=_PROGRESS_S))
        try:
            yield services
        finally:
            services.close()


@contextmanager
def taking_part(corpus: Corpus) -> Iterator[Part]:
    """The run that this task belongs to, with its lease renewed while it works; over means skipped, not failed."""
    context = get_current_context()
    with skipped_when_over(), opened(corpus) as services:
        _refuse_overtaken(services, run_id=context["run_id"])
        lease = rejoined(services, run_id=context["run_id"], owner=owner_of(context))
        with beating(services, lease) as fenced:
            yield Part(fenced, resume(fenced, context["run_id"]), lease)


def _refuse_overtaken(services: Services, *, run_id: str) -> None:
    """Before the lease is asked for: a task cleared long after its run would hold it without anybody to release it."""
    if run := find_run(services, run_id):
        require_current(services, run)


@contextmanager
def skipped_when_over() -> Iterator[None]:
    """A task of a run that another has overtaken changes nothing and alarms nobody."""
    try:
        yield
    except Superseded as over:
        raise AirflowSkipException(str(over)) from over


def owner_of(context: Any) -> Owner:
    """All runs of this DAG are one owner to the lease: a new one proves the earlier one over."""
    return Owner.dag(context["dag"].dag_id)


def actor_of(context: Any) -> str:
    """Who stands behind this run in the history: whose answer it follows from, else who triggered it, else the DAG.

    Airflow passes on who triggered the run that asked, which is not who answered. The conf of a run that a person
    triggers names nobody, for anything can be written there.
    """
    dag_run = context["dag_run"]
    answered = (dag_run.conf or {}).get(ANSWERED_BY) if dag_run.run_type == _BY_A_TASK else None
    return str(answered or dag_run.triggering_user_name or owner_of(context).name)


def acquired(services: Services, *, run_id: str, owner: Owner) -> Lease:
    """The lease for a run, long enough for the gaps between its tasks."""
    ttl_s = max(LEASE_TTL.total_seconds(), services.lease_ttl_s)
    return Lease.acquire(services.state, run_id=run_id, owner=owner, ttl_s=ttl_s)


def rejoined(services: Services, *, run_id: str, owner: Owner) -> Lease:
    """The run's lease; taken again where the run had ended and one of its tasks was cleared by hand.

    Raises:
        Superseded: another run took it in between.
        HeldBack: another run is at work.
    """
    with suppress(Superseded):
        return Lease.attach(services.state, run_id=run_id)
    return acquired(services, run_id=run_id, owner=owner)


def paced(*, every_s: float) -> Progress:
    """Progress as a line of log now and then; a kind of work that begins is not told before `every_s` seconds."""
    told: dict[str, float] = {}

    def progress(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - told.setdefault(what, now) >= every_s:
            told[what] = now
            log.info("%s %d%s", what, done, f" of {total}" if total else "")

    return progress


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Unwind on SIGTERM instead of working on until SIGKILL: Airflow itself only calls the operator's `on_kill`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise SystemExit("ended from outside; a later try resumes")
