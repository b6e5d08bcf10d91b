"""As much of Airflow's REST API as a demonstration needs: find a DAG, start a run, watch its tasks."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.stack.place import Failed

_TIMEOUT_S = 30
_POLL_S = 1.0
_OVER = frozenset({"success", "failed"})
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Step:
    """One task, or one of a mapped task's instances, that has just reached a final state."""

    name: str
    state: str
    seconds: float


class Airflow:
    """One login to one Airflow."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self._url = url
        self._token = ""
        self._token = str(self._call("POST", "/auth/token", {"username": user, "password": password})["access_token"])

    def await_dag(self, dag_id: str, *, timeout_s: float) -> None:
        """Return once the DAG processor has found the DAG.

        Raises:
            Failed: it did not appear; carries Airflow's import errors, if there are any.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self._dag_is_known(dag_id):
                return
            time.sleep(_POLL_S)
        errors = self._call("GET", "/api/v2/importErrors")["import_errors"]
        found = "; ".join(f"{error['filename']}: {error['stack_trace'].strip()[-500:]}" for error in errors)
        raise Failed(f"Airflow has not found the DAG {dag_id} within {timeout_s:.0f} s. {found}")

    def unpause(self, dag_id: str) -> None:
        """Let its runs start; no change when they may already."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str) -> str:
        """Start a run by hand; its id."""
        run = self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": {}})
        return str(run["dag_run_id"])

    def active(self, dag_id: str) -> dict[str, str]:
        """State, `queued` or `running`, by run id of every run that is not over."""
        runs = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns?state=queued&state=running&limit=100")
        return {str(run["dag_run_id"]): str(run["state"]) for run in runs["dag_runs"]}

    def follow(self, dag_id: str, run_id: str, *, timeout_s: float) -> Iterator[Step]:
        """Each task as it ends, until the run is over.

        Raises:
            Failed: the run failed, or is not over in time.
        """
        seen: set[str] = set()
        end = time.monotonic() + timeout_s
        state = ""
        while state not in _OVER:
            if time.monotonic() > end:
                raise Failed(f"the run {run_id} is still {state} after {timeout_s:.0f} s")
            time.sleep(_POLL_S)
            state = str(self._call("GET", self._run(dag_id, run_id))["state"])
            yield from self._ended(dag_id, run_id, seen)
        if state == "failed":
            raise Failed(f"the run {run_id} failed: {self.page(dag_id, run_id)} shows its tasks and their logs")

    def page(self, dag_id: str, run_id: str) -> str:
        """Where a person looks at the run."""
        return f"{self._url}/dags/{dag_id}/runs/{run_id}"

    def _ended(self, dag_id: str, run_id: str, seen: set[str]) -> Iterator[Step]:
        """Tasks that ended since the last look; `seen` remembers them."""
        instances = self._call("GET", f"{self._run(dag_id, run_id)}/taskInstances?limit=100")["task_instances"]
        for task in sorted(instances, key=lambda task: task["end_date"] or ""):
            if task["end_date"] and task["id"] not in seen and task["state"] not in (None, "up_for_retry", "running"):
                seen.add(task["id"])
                yield Step(_name(task), task["state"], float(task["duration"] or 0))

    def _run(self, dag_id: str, run_id: str) -> str:
        return f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"

    def _dag_is_known(self, dag_id: str) -> bool:
        """A DAG whose file was taken away is remembered as stale, and starts no run."""
        try:
            return not self._call("GET", f"/api/v2/dags/{dag_id}")["is_stale"]
        except urllib.error.HTTPError as refusal:
            if refusal.code == _NOT_FOUND:
                return False
            raise

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the loopback address of our own Airflow
            f"{self._url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {self._token}"} if self._token else {}),
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:  # noqa: S310 - as above
            answer: dict[str, Any] = json.loads(reply.read() or b"{}")  # a deletion says nothing
            return answer


def _name(task: Mapping[str, Any]) -> str:
    """`embed [shard 2]` for a mapped instance, else the task's id."""
    label = task.get("rendered_map_index")
    if label is None and task["map_index"] >= 0:
        label = str(task["map_index"])
    return f"{task['task_id']} [{label}]" if label is not None else str(task["task_id"])
