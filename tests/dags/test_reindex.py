from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, TriggerRule
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from dags_of import corpus_of

from nightjar_dags import night
from nightjar_dags.reindex import form, reindex_dag

TASKS = (
    "settle",
    "plan",
    "shard.parse",
    "shard.chunk",
    "shard.embed",
    "gate",
    "index",
    "verify",
    "evaluate",
    "promote",
    "finish",
    "ask",
)


@pytest.fixture
def dag(tmp_path: Path) -> DAG:
    return reindex_dag(corpus_of(tmp_path, owner="data-platform", tags=["hr"], description="Company handbook"))


def test_its_tasks_have_stable_names(dag: DAG) -> None:
    assert sorted(dag.task_ids) == sorted(TASKS)


@pytest.mark.parametrize(
    ("task", "upstream"),
    [
        ("settle", set()),
        ("plan", {"settle"}),
        ("shard.parse", {"plan"}),
        ("shard.chunk", {"shard.parse"}),
        ("shard.embed", {"shard.chunk"}),
        ("gate", {"shard.embed"}),
        ("index", {"gate"}),
        ("verify", {"index"}),
        ("evaluate", {"verify"}),
        ("promote", {"evaluate"}),
        ("finish", {"promote", "shard.embed"}),
        ("ask", {"finish"}),
    ],
)
def test_its_edges(dag: DAG, task: str, upstream: set[str]) -> None:
    # The plan's list also reaches every task of the group as its argument.
    assert dag.get_task(task).upstream_task_ids - ({"plan"} if task in {"shard.chunk", "shard.embed"} else set()) == (
        upstream
    )


@pytest.mark.parametrize("task", TASKS)
def test_each_task_has_its_work(task: str) -> None:
    assert callable(getattr(night, task.removeprefix("shard.")))


@pytest.mark.parametrize("task", TASKS)
def test_the_manual_names_each_task(dag: DAG, task: str) -> None:
    assert f"`{task.removeprefix('shard.')}`" in dag.doc_md


def test_the_manual_begins_with_the_corpus(dag: DAG) -> None:
    assert dag.doc_md.startswith("## handbook\n\nCompany handbook\n\n- **Documents**: `s3://documents/handbook/`")


def test_the_manual_speaks_of_this_corpus(dag: DAG) -> None:
    assert "nightjar show handbook N" in dag.doc_md


def test_it_runs_once_at_a_time_and_makes_up_for_nothing(dag: DAG) -> None:
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_it_carries_its_owner_and_tags(dag: DAG) -> None:
    assert {task.owner for task in dag.tasks} == {"data-platform"}
    assert dag.tags == {"nightjar", "hr"}


def test_an_empty_mapping_does_not_skip_the_gate(dag: DAG) -> None:
    assert dag.get_task("gate").trigger_rule == TriggerRule.NONE_FAILED


def test_the_corpus_is_freed_however_the_night_went(dag: DAG) -> None:
    finish = dag.get_task("finish")
    assert finish.is_teardown
    assert not finish.on_failure_fail_dagrun


def test_a_question_does_not_decide_on_the_night(dag: DAG) -> None:
    ask = dag.get_task("ask")
    assert ask.is_teardown
    assert not ask.on_failure_fail_dagrun


def test_shards_are_named_by_the_plan(dag: DAG) -> None:
    labels = {dag.get_task(f"shard.{step}").map_index_template for step in ("parse", "chunk", "embed")}
    assert labels == {"{{ task.op_args[0]['label'] }}"}


def test_only_promote_announces_anything(dag: DAG) -> None:
    outlets = {task.task_id: [outlet.name for outlet in task.outlets] for task in dag.tasks if task.outlets}
    assert outlets == {"promote": ["nightjar://handbook/live"]}


def test_every_task_decides_on_retries_by_the_kind_of_error(dag: DAG) -> None:
    assert all(task.has_retry_policy for task in dag.tasks)


def test_airflow_can_store_it(dag: DAG) -> None:
    stored: dict[str, Any] = DagSerialization.to_dict(dag)
    assert DagSerialization.from_dict(stored).dag_id == "reindex_handbook"


def test_storing_it_twice_gives_the_same(tmp_path: Path) -> None:
    first, second = (DagSerialization.to_dict(reindex_dag(corpus_of(tmp_path))) for _ in range(2))
    assert first == second


def test_a_stage_runs_where_the_corpus_file_says(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, airflow={"queue": "nights", "stages": {"embed": {"queue": "gpu", "pool": "cards"}}})
    dag = reindex_dag(corpus)
    placed = {name: (dag.get_task(name).queue, dag.get_task(name).pool) for name in ("shard.embed", "shard.parse")}
    assert placed == {"shard.embed": ("gpu", "cards"), "shard.parse": ("nights", "default_pool")}


@pytest.mark.filterwarnings("ignore:The airflow.security.permissions module")  # Airflow 3's own, for its own reading
def test_roles_reach_airflow(tmp_path: Path) -> None:
    dag = reindex_dag(corpus_of(tmp_path, airflow={"access_control": {"hr": ["can_read"]}}))
    assert dag.access_control == {"hr": {"DAGs": {"can_read"}}}


def test_the_form_is_that_of_the_contract() -> None:
    assert {name: param.value for name, param in form().items()} == {
        "full_refresh": False,
        "prefix": None,
        "recompute": None,
        "promote": True,
        "approve_deletions": False,
        "approved_list": None,
        "approve_cost": False,
    }


def test_the_form_takes_its_own_defaults() -> None:
    assert {name: param.resolve() for name, param in form().items()} == {n: p.value for n, p in form().items()}


def test_the_form_explains_each_of_its_fields() -> None:
    assert all(param.schema["title"] and param.description for param in form().values())


def test_the_form_has_words_for_each_choice() -> None:
    schema = form()["recompute"].schema
    assert list(schema["values_display"]) == [choice or "null" for choice in schema["enum"]]


@pytest.mark.parametrize("name", form())
def test_the_manual_explains_each_field_of_the_form_by_its_title(dag: DAG, name: str) -> None:
    assert f"- **{form()[name].schema['title']}** (`{name}`): " in dag.doc_md


@pytest.mark.parametrize(
    ("name", "value"), [("recompute", "embed"), ("recompute", None), ("prefix", "2026/"), ("full_refresh", True)]
)
def test_the_form_takes(name: str, value: object) -> None:
    assert form()[name].resolve(value) == value


@pytest.mark.parametrize(("name", "value"), [("recompute", "index"), ("prefix", 7), ("promote", "yes")])
def test_the_form_refuses(name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        form()[name].resolve(value)
