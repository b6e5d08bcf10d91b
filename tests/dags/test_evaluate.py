from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException
from airflow.serialization.serialized_objects import DagSerialization
from dags_of import corpus_of
from words import questions_about, text_of
from world import World, handbook

from nightjar.errors import HeldBack
from nightjar.flows.scores import past_scores
from nightjar.flows.scoring_again import score_again
from nightjar_dags.evaluate import evaluate_dag
from nightjar_dags.scoring import refuse_without_questions, told


@pytest.fixture
def dag(tmp_path: Path) -> DAG:
    return evaluate_dag(corpus_of(tmp_path, owner="data-platform", tags=["hr"], timezone="Europe/Berlin"))


def test_it_is_one_task_that_runs_by_itself(dag: DAG) -> None:
    assert (dag.dag_id, dag.task_ids) == ("evaluate_handbook", ["evaluate"])
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_it_carries_its_owner_and_tags(dag: DAG) -> None:
    assert {task.owner for task in dag.tasks} == {"data-platform"}
    assert dag.tags == {"nightjar", "hr"}


def test_its_manual_names_the_corpus(dag: DAG) -> None:
    assert "\n## The evaluation\n" in dag.doc_md
    assert "`nightjar evaluate handbook`" in dag.doc_md


def test_airflow_can_store_it(dag: DAG, tmp_path: Path) -> None:
    stored: dict[str, Any] = DagSerialization.to_dict(dag)
    assert DagSerialization.from_dict(stored).dag_id == "evaluate_handbook"
    first, second = (DagSerialization.to_dict(evaluate_dag(corpus_of(tmp_path))) for _ in range(2))
    assert first == second


def test_a_corpus_without_questions_ends_skipped_and_says_so() -> None:
    with pytest.raises(AirflowSkipException, match="handbook has no golden questions: name a file of them"):
        refuse_without_questions(handbook())


def test_what_is_live_is_scored_and_remembered(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(evaluation={"questions": str(questions_about(tmp_path, ("leave",)))}))
    world.put("leave.txt", text_of("leave"))
    world.night()
    found = told(score_again(world.services(), number=None, by="scheduled__1"))
    assert (found["version"], found["state"], found["figures"]["questions"]) == (1, "none", 1.0)
    assert [each["by"] for each in past_scores(world.services(), limit=5)] == ["night-1", "scheduled__1"]


def test_a_red_score_is_a_red_task() -> None:
    report = {"version": 3, "state": "fail", "reason": "nDCG@10 of vector search fell"}
    with pytest.raises(HeldBack, match="version 3 answers its questions worse than it may: nDCG@10 of vector"):
        told(report)
