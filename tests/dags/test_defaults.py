from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dags_of import corpus_of

from nightjar.errors import Misconfigured
from nightjar_dags.defaults import default_args, placement


def own(folder: Path, **arguments: Any) -> dict[str, Any]:
    return default_args(corpus_of(folder, airflow={"default_args": arguments}))


def test_tasks_run_where_any_airflow_runs_them_unless_told_otherwise(tmp_path: Path) -> None:
    arguments = own(tmp_path)
    assert (arguments["queue"], arguments["pool"]) == ("default", "default_pool")


def test_the_corpus_file_has_the_last_word(tmp_path: Path) -> None:
    assert own(tmp_path, retries=7)["retries"] == 7


@pytest.mark.parametrize("name", ["retry_delay", "max_retry_delay", "execution_timeout"])
def test_durations_are_written_with_their_unit(tmp_path: Path, name: str) -> None:
    assert own(tmp_path, **{name: "2h"})[name] == timedelta(hours=2)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("retrys", 5, "did you mean retries"),
        ("retry_delay", 300, "write a number and a unit"),
        ("queue", "gpu", r"write airflow\.queue"),
        ("owner", "me", "write owner"),
        ("outlets", [], "choose from"),
    ],
)
def test_what_airflow_would_ignore_is_refused(tmp_path: Path, name: str, value: object, remedy: str) -> None:
    with pytest.raises(Misconfigured, match=rf"airflow\.default_args\.{name}: .*{remedy}"):
        own(tmp_path, **{name: value})


@pytest.mark.parametrize(
    ("stage", "task"), [("parse", "parse"), ("gates", "gate"), ("embed", "embed"), ("promote", "promote")]
)
def test_a_stage_names_its_task(tmp_path: Path, stage: str, task: str) -> None:
    corpus = corpus_of(tmp_path, airflow={"stages": {stage: {"queue": "elsewhere"}}})
    assert placement(corpus, task) == {"queue": "elsewhere"}


def test_other_stages_stay_where_they_are(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, airflow={"stages": {"embed": {"queue": "gpu"}}})
    assert placement(corpus, "parse") == {}


def test_a_stage_without_a_task_of_its_own_is_refused(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, airflow={"stages": {"check": {"queue": "gpu"}}})
    with pytest.raises(Misconfigured, match=r"write airflow\.stages\.chunk"):
        placement(corpus, "chunk")
