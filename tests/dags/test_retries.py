from __future__ import annotations

import pytest
from airflow.sdk import RetryAction

from nightjar.errors import HeldBack, Misconfigured, Transient
from nightjar_dags.retries import FIRST_DELAY, LEASE_TTL, LONGEST_DELAY, ByKind


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (Transient("the bucket did not answer"), RetryAction.RETRY),
        (Misconfigured("there is no such bucket: correct source.uri"), RetryAction.FAIL),
        (HeldBack("version 3 is rejected: half of it is gone"), RetryAction.FAIL),
        (ValueError("nobody foresaw this"), RetryAction.DEFAULT),
        (SystemExit("ended from outside"), RetryAction.DEFAULT),
    ],
)
def test_whether_a_task_is_tried_again(error: BaseException, action: RetryAction) -> None:
    assert ByKind().evaluate(error, try_number=1, max_tries=3).action is action


def test_the_decision_carries_the_reason() -> None:
    decision = ByKind().evaluate(HeldBack("version 3 is rejected"), try_number=1, max_tries=3)
    assert decision.reason == "version 3 is rejected"


def test_a_waiting_retry_does_not_outlive_its_lease() -> None:
    assert FIRST_DELAY < LONGEST_DELAY < LEASE_TTL
