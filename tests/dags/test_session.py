from __future__ import annotations

import logging
import signal
from pathlib import Path

import pytest
from airflow.sdk.api.datamodels._generated import DagRunType
from airflow.sdk.exceptions import AirflowSkipException
from contexts import context_of
from world import World

from nightjar.errors import HeldBack, Superseded
from nightjar.flows.services import Services
from nightjar.lease import Lease, standing
from nightjar.owner import Owner
from nightjar_dags.retries import LEASE_TTL
from nightjar_dags.session import (
    ANSWERED_BY,
    acquired,
    actor_of,
    ending_on_sigterm,
    paced,
    rejoined,
    skipped_when_over,
)

OWNER = Owner.dag("reindex_handbook")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return World(tmp_path).services()


def test_a_run_of_a_dag_keeps_its_lease_through_the_gaps_between_tasks(services: Services) -> None:
    acquired(services, run_id="one", owner=OWNER)
    holding = standing(services.state)
    assert holding is not None
    assert holding.ttl_s == LEASE_TTL.total_seconds()


def test_a_task_joins_the_lease_of_its_run(services: Services) -> None:
    first = acquired(services, run_id="one", owner=OWNER)
    assert rejoined(services, run_id="one", owner=OWNER).attempt == first.attempt


def test_a_task_cleared_after_its_run_takes_the_lease_again(services: Services) -> None:
    acquired(services, run_id="one", owner=OWNER).release()
    rejoined(services, run_id="one", owner=OWNER).verify()


def test_a_task_of_a_run_that_was_overtaken_is_over(services: Services) -> None:
    acquired(services, run_id="one", owner=OWNER)
    acquired(services, run_id="two", owner=OWNER).release()
    with pytest.raises(Superseded):
        rejoined(services, run_id="one", owner=OWNER)


def test_a_cleared_task_does_not_disturb_a_command_at_work(services: Services) -> None:
    acquired(services, run_id="one", owner=OWNER).release()
    Lease.acquire(services.state, run_id="two", owner=Owner.command(), ttl_s=60)
    with pytest.raises(HeldBack, match="run two of cli"):
        rejoined(services, run_id="one", owner=OWNER)


@pytest.mark.parametrize(
    ("user", "conf", "actor"),
    [
        (None, None, "dag reindex_handbook"),
        ("otto", None, "otto"),
        (None, {ANSWERED_BY: "mia"}, "mia"),
        ("otto", {ANSWERED_BY: "mia"}, "mia"),
    ],
)
def test_a_run_that_follows_from_an_answer_stands_for_who_gave_it(
    user: str | None, conf: dict[str, str] | None, actor: str
) -> None:
    assert actor_of(context_of(run_type="operator_triggered", conf=conf, user=user)) == actor


@pytest.mark.parametrize("run_type", [each for each in DagRunType if each is not DagRunType.OPERATOR_TRIGGERED])
@pytest.mark.parametrize(("user", "actor"), [(None, "dag reindex_handbook"), ("otto", "otto")])
def test_nobody_takes_another_name_by_a_conf_of_their_own(run_type: str, user: str | None, actor: str) -> None:
    assert actor_of(context_of(run_type=run_type, conf={ANSWERED_BY: "mia"}, user=user)) == actor


def test_over_is_skipped_and_not_failed() -> None:
    with pytest.raises(AirflowSkipException, match="run one is over"), skipped_when_over():
        raise Superseded("run one is over")


def test_sigterm_unwinds_the_task() -> None:
    with pytest.raises(SystemExit, match="a later try resumes"), ending_on_sigterm():
        signal.raise_signal(signal.SIGTERM)


def test_sigterm_means_what_it_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ending_on_sigterm():
        pass
    assert signal.getsignal(signal.SIGTERM) is before


def test_progress_is_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    progress = paced(every_s=0)
    with caplog.at_level(logging.INFO):
        progress("parse", 5, 10)
    assert caplog.messages == ["parse 5 of 10"]


def test_short_work_tells_no_progress(caplog: pytest.LogCaptureFixture) -> None:
    progress = paced(every_s=60)
    with caplog.at_level(logging.INFO):
        progress("parse", 5, 10)
    assert caplog.messages == []
