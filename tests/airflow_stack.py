"""A whole Airflow of a test's own, with Weaviate and S3, on free ports and in a folder of its own."""

from __future__ import annotations

import random
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from servers import ROOT, binary

from tools.airflow_rest import Airflow
from tools.stack import airflow, servers
from tools.stack.place import HOST, Place, Port
from tools.stack.secret import Secrets, local_secrets
from tools.stack.supervise import all_recorded, await_ready, launch, stop

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack; its checkout holds copies of the DAG files and corpora of the test's own."""

    place: Place
    secrets: Secrets = field(repr=False)

    @property
    def corpora(self) -> Path:
        """Corpus files put here become DAGs."""
        return self.place.repository / "dags" / "corpora"

    def bucket(self, name: str) -> Path:
        """A bucket of the S3 server is a folder."""
        return self.place.home / "s3" / name

    def log_in(self) -> Rest:
        """A session with Airflow's API."""
        return Rest(self.place.url(Port.AIRFLOW), user=airflow.USER, password=self.secrets.airflow_password)

    def stop(self) -> None:
        """End all, as `make stop` does; harmless when repeated."""
        started = all_recorded(self.place)
        stop([name for name in started if name in airflow.NAMES], self.place)
        stop([name for name in started if name not in airflow.NAMES], self.place)

    def let_go(self, dag_id: str, run_id: str, task: str) -> bool:
        """The scheduler has seen the task's process end.

        An answer that comes before, in the second after the task began to wait, Airflow 3.3 takes for a task that was
        killed: it fails the task and tries it again, which asks a second time.
        """
        log = (self.place.home / "logs" / "airflow-scheduler.log").read_text(errors="replace")
        return f"TaskInstance Finished: dag_id={dag_id}, task_id={task}, run_id={run_id}," in log

    def processes(self) -> list[str]:
        """Command lines of whatever was started with this folder in its environment, and still runs."""
        mark = str(self.place.home).encode()
        return [
            (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            for entry in Path("/proc").glob("[0-9]*")
            if mark in _environment_of(entry)
        ]


class Rest(Airflow):
    """What tests ask of Airflow beyond what the demonstration does."""

    def make_pool(self, name: str, *, slots: int) -> None:
        self._call("POST", "/api/v2/pools", {"name": name, "slots": slots})

    def widen_pool(self, name: str, *, slots: int) -> None:
        body = {"pool": name, "slots": slots, "include_deferred": False}
        self._call("PATCH", f"/api/v2/pools/{name}", body)

    def clear(self, dag_id: str, run_id: str, tasks: Sequence[tuple[str, int]]) -> None:
        """Clear these mapped tasks with all that is downstream of them, as the button of a task group does."""
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [list(task) for task in tasks]}
        self._call(
            "POST",
            f"/api/v2/dags/{dag_id}/clearTaskInstances",
            body | {"include_downstream": True, "only_failed": False},
        )

    def order(self, dag_id: str, **conf: object) -> str:
        """Start a run with the trigger form filled in; its id."""
        run = self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def runs(self, dag_id: str) -> list[str]:
        """Ids of the DAG's runs."""
        return [str(run["dag_run_id"]) for run in self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]]

    def question(self, dag_id: str, run_id: str, task: str) -> dict[str, Any]:
        """What the task asks a person, as Airflow's page shows it."""
        return self._call("GET", self._question(dag_id, run_id, task))

    def reply(self, dag_id: str, run_id: str, task: str, option: str, **fields: object) -> None:
        """Answer as the user who is logged in."""
        body = {"chosen_options": [option], "params_input": fields}
        self._call("PATCH", self._question(dag_id, run_id, task), body)

    def _question(self, dag_id: str, run_id: str, task: str) -> str:
        return f"{self._run(dag_id, run_id)}/taskInstances/{task}/-1/hitlDetails"

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self._call("GET", self._run(dag_id, run_id))["state"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Task instances by task id; with one shard, a mapped task has one."""
        found = self._call("GET", f"{self._run(dag_id, run_id)}/taskInstances?limit=100")["task_instances"]
        return {str(task["task_id"]): task for task in found}

    def states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        return {name: task["state"] for name, task in self.tasks(dag_id, run_id).items()}

    def xcoms(self, dag_id: str, run_id: str) -> dict[tuple[str, str], object]:
        """Everything that tasks handed on, by task and key."""
        instances = f"{self._run(dag_id, run_id)}/taskInstances"
        entries = self._call("GET", f"{instances}/~/xcomEntries?limit=100")["xcom_entries"]
        return {
            (entry["task_id"], entry["key"]): self._call(
                "GET", f"{instances}/{entry['task_id']}/xcomEntries/{entry['key']}?map_index={entry['map_index']}"
            )["value"]
            for entry in entries
        }

    def import_errors(self) -> dict[str, str]:
        """What is wrong, by the name of the DAG file that says so."""
        errors = self._call("GET", "/api/v2/importErrors")["import_errors"]
        return {Path(error["filename"]).name: str(error["stack_trace"]) for error in errors}

    def plugin_errors(self) -> list[Any]:
        return list(self._call("GET", "/api/v2/plugins/importErrors")["import_errors"])

    def asset_events(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/api/v2/assets/events")["asset_events"])


@contextmanager
def airflow_stack(folder: Path, corpora: Mapping[str, str]) -> Iterator[Stack]:
    """All of it in `folder`, with these corpus files by name; skips, saying so, where a program is missing."""
    programs = binary("weaviate-server"), binary("versitygw")
    if not (Path(sys.prefix) / "bin" / "airflow").exists():
        pytest.skip(f"Airflow is not installed in {sys.prefix}: `make airflow` brings it")
    place = Place(_checkout(folder / "checkout", corpora), folder / "local", free_port_base())
    stack = Stack(place, local_secrets(place.home))
    try:
        _start(stack, *programs)
        yield stack
    finally:
        stack.stop()


def until(claim: Callable[[], bool], *, within_s: float) -> None:
    """Wait until the claim is true; the test fails when it is not in time."""
    end = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < end, f"not true within {within_s:.0f} s"
        time.sleep(POLL_S)


def _start(stack: Stack, weaviate: Path, versitygw: Path) -> None:
    place, secrets = stack.place, stack.secrets
    services = [servers.weaviate(weaviate, place, secrets), servers.s3(versitygw, place, secrets)]
    for service in services:
        launch(service, place)
    environment = airflow.airflow_environment(place, secrets)
    airflow.migrate(place, environment)
    for service in airflow.airflow_services(place, environment):
        launch(service, place)
        services.append(service)
    for service in services:
        await_ready(service, place)


def _checkout(folder: Path, corpora: Mapping[str, str]) -> Path:
    """What the stack needs of a checkout: DAG files, corpora, plugins and the virtual environment."""
    dags = folder / "dags"
    (dags / "corpora").mkdir(parents=True)
    for path in (ROOT / "dags").iterdir():
        if path.is_file():
            shutil.copy(path, dags)
    for name, text in corpora.items():
        (dags / "corpora" / f"{name}.yaml").write_text(text)
    (folder / "plugins").symlink_to(ROOT / "plugins")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def free_port_base() -> int:
    """Where the stack's ports, all in a row, are free; below those that the system gives to connections."""
    while True:
        base = random.randrange(20_000, 32_000, 10)
        if all(_is_free(base + offset) for offset in Port):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _environment_of(entry: Path) -> bytes:
    try:
        return (entry / "environ").read_bytes()
    except OSError:  # ended meanwhile, or another user's
        return b""
