"""How a task starts a run of another DAG. Loaded by running tasks only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import DagRunTriggerException


def starting(dag_id: str, *, run_id: str, conf: Mapping[str, Any], note: str = "") -> DagRunTriggerException:
    """To be raised: Airflow starts the run and ends the task green, or skipped where there was such a run before.

    It is what `TriggerDagRunOperator` raises, which can only be told before the task runs what to start.
    """
    return DagRunTriggerException(
        trigger_dag_id=dag_id,
        dag_run_id=run_id,
        conf=dict(conf),
        reset_dag_run=False,
        skip_when_already_exists=True,
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
        note=note or None,
    )
