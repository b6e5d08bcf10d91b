"""Retries by the kind of an error, decided in one place: what cannot get better by waiting is not tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from airflow.sdk import RetryDecision, RetryPolicy

from nightjar.errors import HeldBack, Misconfigured, NightjarError

RETRIES: Final = 3
FIRST_DELAY: Final = timedelta(seconds=30)
LONGEST_DELAY: Final = timedelta(minutes=5)
# Between two tasks, and while a retry waits, no process renews the run's lease; nobody may take it over meanwhile.
# A later run of the same DAG never waits for it, so only a command line does, and only after a crash of Airflow.
LEASE_TTL: Final = 2 * LONGEST_DELAY


class ByKind(RetryPolicy):  # type: ignore[misc]  # Airflow's types are not followed, see pyproject
    """`Transient` is tried again, `Misconfigured` and `HeldBack` are not; anything unforeseen as Airflow would.

    The decision carries the error's own sentence: Airflow prints it as the task's last line of log.
    """

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """What to do about `exception`; the number of tries stays Airflow's business."""
        del try_number, max_tries, context
        if isinstance(exception, (Misconfigured, HeldBack)):
            return RetryDecision.fail(reason=str(exception))
        if isinstance(exception, NightjarError):
            return RetryDecision.retry(reason=str(exception))
        return RetryDecision.default()
