from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from dags_of import corpus_of

from nightjar_dags import approvals, operations
from nightjar_dags.actions import ACTIONS, CHOICES
from nightjar_dags.operate import ANSWER_WITHIN, form, operate_dag

TASKS = ("act", "describe", "ask", "answer")


@pytest.fixture
def dag(tmp_path: Path) -> DAG:
    return operate_dag(corpus_of(tmp_path, owner="data-platform", tags=["hr"]))


@pytest.mark.parametrize(
    ("task", "upstream"),
    [("act", set()), ("describe", set()), ("ask", {"describe"}), ("answer", {"describe", "ask"})],
)
def test_its_edges(dag: DAG, task: str, upstream: set[str]) -> None:
    assert dag.get_task(task).upstream_task_ids == upstream


def test_it_has_no_other_tasks(dag: DAG) -> None:
    assert sorted(dag.task_ids) == sorted(TASKS)


def test_each_action_has_its_function() -> None:
    assert [name for name in ACTIONS if not callable(getattr(operations, name, None))] == []


def test_each_task_has_its_work() -> None:
    assert all(map(callable, (operations.act, approvals.describe, approvals.answer)))


def test_it_runs_only_when_somebody_asks(dag: DAG) -> None:
    assert (dag.schedule, dag.is_paused_upon_creation) == (None, False)


def test_a_question_that_waits_keeps_no_rollback_waiting(dag: DAG) -> None:
    assert dag.max_active_runs > ANSWER_WITHIN.days


def test_a_question_nobody_answers_changes_nothing(dag: DAG) -> None:
    ask = dag.get_task("ask")
    assert (ask.defaults, ask.response_timeout) == (["Reject"], ANSWER_WITHIN)


def test_time_to_answer_is_not_time_to_work(tmp_path: Path) -> None:
    dag = operate_dag(corpus_of(tmp_path, airflow={"default_args": {"execution_timeout": "5m"}}))
    assert dag.get_task("ask").execution_timeout is None
    assert dag.get_task("act").execution_timeout is not None


def test_what_goes_live_is_announced(dag: DAG) -> None:
    outlets = {task.task_id: [outlet.name for outlet in task.outlets] for task in dag.tasks if task.outlets}
    assert outlets == {"act": ["nightjar://handbook/live"], "answer": ["nightjar://handbook/live"]}


def test_it_carries_its_owner_and_tags(dag: DAG) -> None:
    assert {task.owner for task in dag.tasks} == {"data-platform"}
    assert dag.tags == {"nightjar", "hr"}


def test_it_runs_where_the_corpus_file_says(tmp_path: Path) -> None:
    dag = operate_dag(corpus_of(tmp_path, airflow={"queue": "nights", "pool": "careful"}))
    assert {(task.queue, task.pool) for task in dag.tasks} == {("nights", "careful")}


@pytest.mark.filterwarnings("ignore:The airflow.security.permissions module")  # Airflow 3's own, for its own reading
def test_roles_reach_airflow(tmp_path: Path) -> None:
    dag = operate_dag(corpus_of(tmp_path, airflow={"access_control": {"hr": ["can_read"]}}))
    assert dag.access_control == {"hr": {"DAGs": {"can_read"}}}


def test_airflow_can_store_it(dag: DAG) -> None:
    stored: dict[str, Any] = DagSerialization.to_dict(dag)
    assert DagSerialization.from_dict(stored).dag_id == "operate_handbook"


def test_storing_it_twice_gives_the_same(tmp_path: Path) -> None:
    first, second = (DagSerialization.to_dict(operate_dag(corpus_of(tmp_path))) for _ in range(2))
    assert first == second


def test_the_manual_speaks_of_this_corpus(dag: DAG) -> None:
    assert dag.doc_md.startswith("## handbook\n")
    assert "\n## Decisions\n" in dag.doc_md
    assert "starts `reindex_handbook`" in dag.doc_md


@pytest.mark.parametrize("task", TASKS)
def test_the_manual_names_each_task(dag: DAG, task: str) -> None:
    assert f"`{task}`" in dag.doc_md


@pytest.mark.parametrize("action", CHOICES)
def test_the_manual_names_each_action(dag: DAG, action: str) -> None:
    assert f"**{action}** " in dag.doc_md


@pytest.mark.parametrize("name", form())
def test_the_manual_explains_each_field_of_the_form_by_its_title(dag: DAG, name: str) -> None:
    assert f"- **{form()[name].schema['title']}** (`{name}`): " in dag.doc_md


def test_the_form_offers_each_action_with_its_words() -> None:
    schema = form()["action"].schema
    assert schema["enum"] == list(CHOICES) == list(schema["values_display"])


def test_the_form_does_nothing_by_default() -> None:
    with pytest.raises(ParamValidationError):
        form()["action"].resolve()


@pytest.mark.parametrize(
    ("name", "value"),
    [("action", "rollback"), ("version", None), ("version", 7), ("documents", ["a", "b"]), ("documents", None)],
)
def test_the_form_takes(name: str, value: object) -> None:
    assert form()[name].resolve(value) == value


@pytest.mark.parametrize(
    ("name", "value"), [("action", "drop"), ("version", 0), ("version", "7"), ("documents", "a"), ("documents", [7])]
)
def test_the_form_refuses(name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        form()[name].resolve(value)
