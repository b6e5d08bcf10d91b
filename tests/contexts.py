"""What Airflow tells a task of the run that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk.api.datamodels._generated import DagRun, DagRunType

_NOW = datetime(2026, 1, 1, 2, tzinfo=UTC)


def context_of(*, run_type: str, conf: Mapping[str, Any] | None = None, user: str | None = None) -> dict[str, Any]:
    """The context of a task of `reindex_handbook`, as far as it tells who stands behind the run."""
    dag_run = DagRun(
        dag_id="reindex_handbook",
        run_id="one",
        logical_date=None,
        data_interval_start=None,
        data_interval_end=None,
        run_after=_NOW,
        start_date=_NOW,
        end_date=None,
        run_type=DagRunType(run_type),
        state="running",
        conf=None if conf is None else dict(conf),
        triggering_user_name=user,
        consumed_asset_events=[],
        partition_key=None,
    )
    return {"dag_run": dag_run, "dag": SimpleNamespace(dag_id=dag_run.dag_id), "run_id": dag_run.run_id}
