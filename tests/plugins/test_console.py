from __future__ import annotations

import asyncio
import runpy
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import pytest
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user
from dags_of import corpus_of, write_corpus
from fastapi import FastAPI
from fastapi.routing import APIRoute

from nightjar_console.api import described, readable_dags
from nightjar_console.app import console
from nightjar_console.plugin import NightjarPlugin

REPOSITORY = Path(__file__).parents[2]


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path) of everything that the application answers."""
    found = [(method, route.path) for route in app.routes if isinstance(route, APIRoute) for method in route.methods]
    assert len(found) == len(app.routes), "a mount or a page of documentation is no APIRoute, and asks for no login"
    return found


def asked(app: FastAPI, path: str, *, method: str = "GET") -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://airflow") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The console with two corpora, asked by somebody who has logged in and may read the DAG of one."""
    write_corpus(tmp_path, "handbook", description="Company handbook", schedule="0 2 * * *")
    write_corpus(tmp_path, "salaries")
    monkeypatch.setenv("NIGHTJAR_CORPORA", str(tmp_path))
    create_auth_manager()
    app = console()
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="ann", role="viewer")
    app.dependency_overrides[readable_dags] = lambda: {"reindex_handbook"}
    return app


def test_every_route_refuses_a_stranger() -> None:
    app = console()
    answers = {(method, path): asked(app, path, method=method).status_code for method, path in routes(app)}
    assert answers == {("GET", "/api/corpora"): 401}


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_there_are_no_pages_of_documentation(known: FastAPI, path: str) -> None:
    assert asked(known, path).status_code == 404


def test_a_corpus_is_shown_to_those_who_may_read_its_dag(known: FastAPI) -> None:
    body: dict[str, Any] = asked(known, "/api/corpora").json()
    assert [corpus["name"] for corpus in body["corpora"]] == ["handbook"]


def test_the_answer_says_its_format(known: FastAPI) -> None:
    assert asked(known, "/api/corpora").json()["format"] == 1


def test_a_missing_folder_is_explained_and_no_crash(known: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_CORPORA", "/nowhere")
    answer = asked(known, "/api/corpora")
    assert (answer.status_code, answer.json()["detail"].partition(";")[0]) == (
        503,
        "/nowhere: no such folder of corpus files",
    )


def test_what_is_told_of_a_corpus(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, description="Company handbook", schedule={"assets": ["exports"]})
    assert described(corpus) == {
        "name": "handbook",
        "description": "Company handbook",
        "source": "s3://documents/handbook/",
        "schedule": ["exports"],
        "dag_id": "reindex_handbook",
    }


def test_airflow_finds_the_console_by_its_entry_point() -> None:
    (announced,) = entry_points(group="airflow.plugins", name="nightjar")
    assert announced.load() is NightjarPlugin


def test_the_console_lies_under_nightjar() -> None:
    (app,) = NightjarPlugin().fastapi_apps
    assert (app["url_prefix"], app["name"]) == ("/nightjar", "Nightjar")


def test_an_installed_console_is_not_registered_a_second_time() -> None:
    assert "NightjarPlugin" not in runpy.run_path(str(REPOSITORY / "plugins" / "nightjar_plugin.py"))


def test_a_console_that_is_only_on_the_path_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    module = runpy.run_path(str(REPOSITORY / "plugins" / "nightjar_plugin.py"))
    assert module["NightjarPlugin"] is NightjarPlugin
