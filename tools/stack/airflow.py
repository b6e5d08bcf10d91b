"""Airflow's services on one machine: SQLite, LocalExecutor, login by password, everything on loopback."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

from tools.stack.environment import QUIET, shared_settings
from tools.stack.place import HOST, Failed, Place, Port
from tools.stack.secret import Secrets, write_private
from tools.stack.servers import REGION, answers, inherited
from tools.stack.supervise import Service, await_ready, log_path

USER = "admin"
NAMES = ("airflow-api-server", "airflow-dag-processor", "airflow-triggerer", "airflow-scheduler")
_PARALLEL_TASKS = 4
_NEW_FILES_S = 10  # Airflow's default of 300 s is long for somebody who waits for their first corpus
_START_TIMEOUT_S = 120
_FIRST_CALL_S = 60


def airflow_environment(place: Place, secrets: Secrets) -> dict[str, str]:
    """All that Airflow's processes see: settings, the two connections, and where corpora and state lie."""
    home = place.data("airflow")
    passwords = home / "passwords.json"
    write_private(passwords, json.dumps({USER: secrets.airflow_password}))
    url = place.url(Port.AIRFLOW)
    settings = {
        "CORE__DAGS_FOLDER": str(place.repository / "dags"),
        "CORE__PLUGINS_FOLDER": str(place.repository / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(_PARALLEL_TASKS),
        "CORE__FERNET_KEY": secrets.airflow_fernet_key,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",  # user and role
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_database(place)}",
        "API__HOST": HOST,
        "API__PORT": str(place.port(Port.AIRFLOW)),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.airflow_secret_key,
        "API_AUTH__JWT_SECRET": secrets.airflow_jwt_secret,
        "DAG_PROCESSOR__REFRESH_INTERVAL": str(_NEW_FILES_S),
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(_NEW_FILES_S),
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "LOGGING__BASE_LOG_FOLDER": str(place.data("logs") / "tasks"),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        **inherited(),
        **QUIET,
        **shared_settings(place),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_AWS_DEFAULT": _aws_connection(place, secrets),
        "AIRFLOW_CONN_WEAVIATE_DEFAULT": _weaviate_connection(place, secrets),
        "PATH": f"{place.python_programs}:{inherited()['PATH']}",
    }


def _aws_connection(place: Place, secrets: Secrets) -> str:
    return json.dumps(
        {
            "conn_type": "aws",
            "login": secrets.s3_access_key,
            "password": secrets.s3_secret_key,
            "extra": {"endpoint_url": place.url(Port.S3), "region_name": REGION},
        }
    )


def _weaviate_connection(place: Place, secrets: Secrets) -> str:
    return json.dumps(
        {
            "conn_type": "weaviate",
            "host": HOST,
            "port": place.port(Port.WEAVIATE),
            "extra": {
                "token": secrets.weaviate_api_key,
                "http_secure": False,
                "grpc_host": HOST,
                "grpc_port": place.port(Port.WEAVIATE_GRPC),
                "grpc_secure": False,
            },
        }
    )


def is_migrated(place: Place) -> bool:
    """Whether the metadata database has this Airflow's schema; asking Airflow itself takes seconds."""
    mark = _migration_mark(place)
    return mark.exists() and mark.read_text() == version("apache-airflow") and _database(place).exists()


def migrate(place: Place, environment: dict[str, str]) -> None:
    """Bring the metadata database to this Airflow's schema.

    Raises:
        Failed: the migration did; its output is in the log.
    """
    _migration_mark(place).unlink(missing_ok=True)
    log = log_path(place, "airflow-migrate")
    with log.open("wb") as output:
        code = subprocess.run(
            [str(_program(place)), "db", "migrate"], env=environment, stdout=output, stderr=output, check=False
        ).returncode
    if code:
        raise Failed(f"Airflow's database could not be migrated; see {log}")
    _migration_mark(place).write_text(version("apache-airflow"))


def _migration_mark(place: Place) -> Path:
    return place.data("airflow") / "migrated"


def _database(place: Place) -> Path:
    return place.data("airflow") / "airflow.db"


def airflow_services(place: Place, environment: dict[str, str]) -> Iterator[Service]:
    """The four long-running parts, to be launched as they come.

    The scheduler comes when the api-server answers: it starts what an earlier stop left queued at once, and each task
    that finds no api-server to talk to has lost one of its tries.
    """

    def part(name: str, *arguments: str, ready: Callable[[], bool], ports: Mapping[int, str] | None = None) -> Service:
        command = [str(_program(place)), *arguments]
        return Service(f"airflow-{name}", command, environment, ports or {}, ready, _START_TIMEOUT_S)

    healthy = partial(_is_healthy, place)
    port = place.port(Port.AIRFLOW)
    api_server = part("api-server", "api-server", ready=partial(healthy, "metadatabase"), ports={port: "Airflow"})
    yield api_server
    yield part("dag-processor", "dag-processor", ready=partial(healthy, "dag_processor"))
    yield part("triggerer", "triggerer", "--skip-serve-logs", ready=partial(healthy, "triggerer"))
    await_ready(api_server, place)
    # The api-server itself reads this machine's logs.
    yield part("scheduler", "scheduler", "--skip-serve-logs", ready=partial(_takes_tasks, place))


def _takes_tasks(place: Place) -> bool:
    """Airflow builds what its tasks talk to at the first call: seconds, better spent while the scheduler starts."""
    answered = answers(f"{place.url(Port.AIRFLOW)}/execution/health", timeout_s=_FIRST_CALL_S)
    return answered and _is_healthy(place, "scheduler")


def _is_healthy(place: Place, part: str) -> bool:
    """What Airflow says of one of its parts."""
    try:
        with urllib.request.urlopen(f"{place.url(Port.AIRFLOW)}/api/v2/monitor/health", timeout=5) as reply:  # noqa: S310 - loopback
            return bool(json.load(reply).get(part, {}).get("status") == "healthy")
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _program(place: Place) -> Path:
    return place.python_programs / "airflow"
