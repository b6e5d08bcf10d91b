"""One corpus's nights on a real Airflow, driven over its REST API: served, cleared by hand, overtaken, stopped.

One Airflow serves the whole module. What happens to it is a story whose chapters are fixtures, each built on the one
before; tests state the facts of a chapter. `promote` runs in a pool that begins without slots, so that the story can
stop before it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airflow_stack import Rest, Stack, airflow_stack, until

from nightjar.model import CollectionName, IndexObject
from nightjar.settings import Settings
from nightjar.wiring import open_services
from tools.stack.airflow import USER
from tools.stack.environment import client_environment

pytestmark = [pytest.mark.airflow, pytest.mark.services, pytest.mark.slow]

DAG = "reindex_notes"
OPERATE = "operate_notes"
AUDIT = "audit_notes"
RUN_WITHIN_S = 300.0
CORPORA = {
    "notes": (
        "source: {uri: s3://documents/notes/}\n"
        "index: {alias: Notes}\n"
        "airflow: {stages: {promote: {pool: promotions}}}\n"
    ),
    "wrong": "source: {uri: s3://documents/wrong/}\nchunk: {max_token: 200}\n",
}
NOTES = {
    "harbour.txt": "The harbour master opens the lock at sunrise. Barges wait at the northern quay until then.",
    "lamp.txt": "Every lamp of the lighthouse is cleaned on Mondays. The keeper signs the yellow book afterwards.",
    "tides.txt": "Spring tides reach the second step of the pier. Boats are then moored with two lines each.",
}
LATER = ("weather.txt", "Gale warnings are shown by two black cones on the mast beside the customs house.")
WORDS = ("harbour master", "lighthouse", "Spring tides")
OVER = {"success", "failed"}
QUESTION = "ask__version-4"
SHARD = [("shard.parse", 0), ("shard.chunk", 0), ("shard.embed", 0)]
BEFORE_PROMOTION = {
    "settle",
    "plan",
    "shard.parse",
    "shard.chunk",
    "shard.embed",
    "gate",
    "index",
    "verify",
    "evaluate",
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """What stood when a chapter ended."""

    run_id: str
    run_state: str
    states: dict[str, str | None]
    tries: dict[str, int]
    serving: str | None
    collections: dict[str, dict[str, str]] = field(repr=False)
    state: dict[str, bytes] = field(repr=False)

    @property
    def live(self) -> Any:
        return json.loads(self.state["live.json"])

    def version(self, number: int) -> Any:
        return json.loads(self.state[f"versions/{number:06}/version.json"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with airflow_stack(tmp_path_factory.mktemp("airflow"), CORPORA) as running:
        yield running


@pytest.fixture(scope="module")
def rest(stack: Stack) -> Rest:
    session = stack.log_in()
    session.await_dag(DAG, timeout_s=120)
    return session


@pytest.fixture(scope="module")
def verified(stack: Stack, rest: Rest) -> Chapter:
    """A first night, as far as the door to promotion."""
    for name, text in NOTES.items():
        put(stack, name, text)
    rest.make_pool("promotions", slots=0)
    run_id = rest.trigger(DAG)
    rest.unpause(DAG)
    until(lambda: waits_before_promotion(rest, run_id, tries=1), within_s=RUN_WITHIN_S)
    return chapter(stack, rest, run_id)


@pytest.fixture(scope="module")
def repeated(stack: Stack, rest: Rest, verified: Chapter) -> Chapter:
    """Its shard cleared, with all that follows, and run again as far as the same door."""
    rest.clear(DAG, verified.run_id, SHARD)
    until(lambda: waits_before_promotion(rest, verified.run_id, tries=2), within_s=RUN_WITHIN_S)
    return chapter(stack, rest, verified.run_id)


@pytest.fixture(scope="module")
def promoted(stack: Stack, rest: Rest, repeated: Chapter) -> Chapter:
    """The door opened."""
    rest.widen_pool("promotions", slots=1)
    until(lambda: rest.run_state(DAG, repeated.run_id) in {"success", "failed"}, within_s=RUN_WITHIN_S)
    return chapter(stack, rest, repeated.run_id)


@pytest.fixture(scope="module")
def overtaken(stack: Stack, rest: Rest, promoted: Chapter) -> Chapter:
    """A later version went live, made by the command line on the same state."""
    put(stack, *LATER)
    subprocess.run(
        [str(Path(sys.executable).with_name("nightjar")), "run", "notes", "--json"],
        env=environment(stack),
        check=True,
        capture_output=True,
    )
    return chapter(stack, rest, promoted.run_id)


@pytest.fixture(scope="module")
def too_late(stack: Stack, rest: Rest, overtaken: Chapter) -> Chapter:
    """The first night's shard cleared once more, after that."""
    rest.clear(DAG, overtaken.run_id, SHARD)
    until(lambda: rest.run_state(DAG, overtaken.run_id) not in {"queued", "running"}, within_s=RUN_WITHIN_S)
    return chapter(stack, rest, overtaken.run_id)


@pytest.fixture(scope="module")
def rolled_back(stack: Stack, rest: Rest, too_late: Chapter) -> Chapter:
    """Somebody went back by the form."""
    return ordered(stack, rest, OPERATE, action="rollback", reason="gales were announced too early")


@pytest.fixture(scope="module")
def held(stack: Stack, rest: Rest, rolled_back: Chapter) -> Chapter:
    """A night under that hold, whose version 3 waits."""
    return ordered(stack, rest, DAG)


@pytest.fixture(scope="module")
def released(stack: Stack, rest: Rest, held: Chapter) -> Chapter:
    """The hold ended."""
    return ordered(stack, rest, OPERATE, action="unhold")


@pytest.fixture(scope="module")
def chosen(stack: Stack, rest: Rest, released: Chapter) -> Chapter:
    """What had waited was promoted."""
    return ordered(stack, rest, OPERATE, action="promote", version=3, reason="they were right")


@pytest.fixture(scope="module")
def audited(stack: Stack, rest: Rest, chosen: Chapter) -> Chapter:
    """The index compared with its manifest."""
    rest.unpause(AUDIT)
    return ordered(stack, rest, AUDIT)


@pytest.fixture(scope="module")
def asking(stack: Stack, rest: Rest, audited: Chapter) -> Chapter:
    """A night with another embedding: version 4 waits, and a run of `operate` waits for an answer."""
    (stack.corpora / "notes.yaml").write_text(CORPORA["notes"] + 'embed: {document_prompt: "note: "}\n')
    night = ordered(stack, rest, DAG)
    until(lambda: QUESTION in rest.runs(OPERATE), within_s=60)
    until(lambda: rest.states(OPERATE, QUESTION)["ask"] == "awaiting_input", within_s=RUN_WITHIN_S)
    until(lambda: stack.let_go(OPERATE, QUESTION, "ask"), within_s=60)
    return night


@pytest.fixture(scope="module")
def approved(stack: Stack, rest: Rest, asking: Chapter) -> Chapter:
    """Somebody said yes."""
    rest.reply(OPERATE, QUESTION, "ask", "Approve", reason="searchers know")
    until(lambda: rest.run_state(OPERATE, QUESTION) in OVER, within_s=RUN_WITHIN_S)
    return chapter(stack, rest, QUESTION, dag_id=OPERATE)


@pytest.fixture(scope="module")
def stopped(stack: Stack, rest: Rest, approved: Chapter) -> Stack:
    """Everything ended while a task is at work."""
    run_id = rest.trigger(DAG)
    until(lambda: rest.states(DAG, run_id).get("settle") == "running", within_s=120)
    stack.stop()
    return stack


def ordered(stack: Stack, rest: Rest, dag_id: str, **form: object) -> Chapter:
    """A run by its trigger form, to its end."""
    run_id = rest.order(dag_id, **form)
    until(lambda: rest.run_state(dag_id, run_id) in OVER, within_s=RUN_WITHIN_S)
    return chapter(stack, rest, run_id, dag_id=dag_id)


def put(stack: Stack, name: str, text: str) -> None:
    path = stack.bucket("documents") / "notes" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def environment(stack: Stack) -> dict[str, str]:
    return os.environ | client_environment(stack.place, stack.secrets)


def waits_before_promotion(rest: Rest, run_id: str, *, tries: int) -> bool:
    """Everything up to `promote` has been done so often, and `promote` waits for a slot."""
    assert rest.run_state(DAG, run_id) != "failed", rest.states(DAG, run_id)
    tasks = rest.tasks(DAG, run_id)
    return tasks["evaluate"]["try_number"] == tries and tasks["promote"]["state"] == "scheduled"


def chapter(stack: Stack, rest: Rest, run_id: str, *, dag_id: str = DAG) -> Chapter:
    tasks = rest.tasks(dag_id, run_id)
    serving, collections = indexes(stack)
    return Chapter(
        run_id=run_id,
        run_state=rest.run_state(dag_id, run_id),
        states={name: task["state"] for name, task in tasks.items()},
        tries={name: task["try_number"] for name, task in tasks.items()},
        serving=serving,
        collections=collections,
        state=state_of(stack),
    )


def indexes(stack: Stack) -> tuple[str | None, dict[str, dict[str, str]]]:
    """What the alias names, and a digest of properties and vector by chunk id in each collection."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in client_environment(stack.place, stack.secrets).items():
            patch.setenv(name, value)
        settings = Settings.from_environment(os.environ)
        services = open_services(settings.corpus("notes"), settings)
    try:
        serving = services.index.alias("Notes")
        return serving, {
            name: digests(services.index.scan(CollectionName(name), vectors=True))
            for name in services.index.collections()
        }
    finally:
        services.close()


def digests(objects: Iterator[IndexObject]) -> dict[str, str]:
    return {item.chunk_id: item.digest for item in objects}


def state_of(stack: Stack) -> dict[str, bytes]:
    """Every object of the corpus's state."""
    folder = stack.bucket("nightjar-state") / "notes"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def text_in(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*.log"))


def test_nothing_is_served_before_promotion(verified: Chapter) -> None:
    assert (verified.serving, "live.json" in verified.state) == (None, False)


def test_the_candidate_is_complete_before_promotion(verified: Chapter) -> None:
    assert {name for name, state in verified.states.items() if state == "success"} == BEFORE_PROMOTION
    assert [len(rows) for rows in verified.collections.values()] == [len(NOTES)]


def test_a_shard_cleared_before_promotion_runs_again_with_all_that_follows(repeated: Chapter) -> None:
    again = {name for name in BEFORE_PROMOTION if repeated.tries[name] == 2}
    assert again == BEFORE_PROMOTION - {"settle", "plan"}


def test_a_shard_cleared_before_promotion_gives_the_same_index(verified: Chapter, repeated: Chapter) -> None:
    assert repeated.collections == verified.collections


def test_a_shard_cleared_before_promotion_makes_no_other_version(repeated: Chapter) -> None:
    assert [name for name in repeated.state if name.endswith("version.json") and "versions/" in name] == [
        "versions/000001/version.json"
    ]


def test_the_night_is_green(promoted: Chapter) -> None:
    assert (promoted.run_state, set(promoted.states.values())) == ("success", {"success"})


def test_the_first_version_is_live(promoted: Chapter) -> None:
    assert (promoted.live["version"], promoted.live["collection"]) == (1, promoted.serving)


def test_what_was_verified_is_what_the_alias_serves(verified: Chapter, promoted: Chapter) -> None:
    assert promoted.serving is not None
    assert promoted.collections[promoted.serving] == verified.collections[promoted.serving]


def test_the_promotion_is_announced_with_its_facts(rest: Rest, promoted: Chapter) -> None:
    [event] = rest.asset_events()
    assert event["uri"] == "nightjar://notes/live"
    facts = {name: event["extra"][name] for name in ("version", "collection", "documents", "chunks", "model")}
    assert facts == {
        "version": 1,
        "collection": promoted.serving,
        "documents": len(NOTES),
        "chunks": len(NOTES),
        "model": "sentence-transformers/all-MiniLM-L6-v2",
    }


def test_tasks_hand_on_small_references_only(rest: Rest, promoted: Chapter) -> None:
    handed = {key: json.dumps(value) for key, value in rest.xcoms(DAG, promoted.run_id).items()}
    assert ("plan", "return_value") in handed
    assert {key: value for key, value in handed.items() if len(value) > 300} == {}
    assert [word for word in WORDS if word in str(handed)] == []


def test_logs_hold_no_document_text(stack: Stack, promoted: Chapter) -> None:
    logs = text_in(stack.place.home / "logs")
    assert promoted.run_id in logs
    assert [word for word in WORDS if word in logs] == []


def test_shards_are_named_in_airflows_pages(rest: Rest, promoted: Chapter) -> None:
    label = rest.tasks(DAG, promoted.run_id)["shard.parse"]["rendered_map_index"]
    assert label.startswith(f"1 of 1: {len(NOTES)} documents")


def test_a_wrong_corpus_file_is_an_import_error_that_names_it(rest: Rest) -> None:
    until(lambda: "corpora_errors.py" in rest.import_errors(), within_s=60)
    errors = rest.import_errors()
    assert set(errors) == {"corpora_errors.py"}
    assert "wrong.yaml" in errors["corpora_errors.py"]
    assert "max_tokens" in errors["corpora_errors.py"]


def test_plugins_load(rest: Rest) -> None:
    assert rest.plugin_errors() == []


def test_the_command_line_goes_on_where_airflow_left_off(promoted: Chapter, overtaken: Chapter) -> None:
    assert overtaken.live["version"] == 2
    assert overtaken.serving is not None
    assert len(overtaken.collections[overtaken.serving]) == len(NOTES) + 1


def test_a_shard_cleared_after_a_later_promotion_ends_skipped(too_late: Chapter) -> None:
    cleared = {name: too_late.states[name] for name, tries in too_late.tries.items() if name not in {"settle", "plan"}}
    assert {name for name, state in cleared.items() if state != "skipped"} == {"finish", "ask"}
    assert too_late.run_state == "success"


def test_a_shard_cleared_after_a_later_promotion_changes_nothing_that_is_served(
    overtaken: Chapter, too_late: Chapter
) -> None:
    assert (too_late.serving, too_late.collections) == (overtaken.serving, overtaken.collections)


def test_a_shard_cleared_after_a_later_promotion_changes_no_state(overtaken: Chapter, too_late: Chapter) -> None:
    before, after = overtaken.state, too_late.state
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()


def test_a_form_that_does_not_fit_is_red_at_once(stack: Stack, rest: Rest, too_late: Chapter) -> None:
    wrong = ordered(stack, rest, OPERATE, action="promote")
    assert (wrong.run_state, wrong.states["act"], wrong.tries["act"]) == ("failed", "failed", 1)
    assert wrong.state == too_late.state


def test_a_rollback_by_the_form_serves_the_version_before_and_holds(rolled_back: Chapter) -> None:
    assert rolled_back.states == {"act": "success", "describe": "skipped", "ask": "skipped", "answer": "skipped"}
    assert (rolled_back.live["version"], rolled_back.live["collection"]) == (1, rolled_back.serving)
    assert rolled_back.serving is not None
    assert len(rolled_back.collections[rolled_back.serving]) == len(NOTES)


def test_the_hold_names_the_user_and_the_reason(rolled_back: Chapter) -> None:
    live = rolled_back.live
    assert (live["held"], live["held_by"], live["held_reason"]) == (True, USER, "gales were announced too early")


def test_a_night_under_a_hold_waits_and_asks_nobody(rest: Rest, held: Chapter) -> None:
    assert (held.run_state, held.states["promote"], held.states["ask"]) == ("failed", "failed", "success")
    assert (held.live["version"], held.version(3)["state"]) == (1, "waiting")
    assert [run for run in rest.runs(OPERATE) if run.startswith("ask__")] == []


def test_unhold_lets_runs_promote_again(rest: Rest, released: Chapter) -> None:
    assert (released.live["held"], released.live["version"]) == (False, 1)
    assert "version 3 waits" in str(rest.xcoms(OPERATE, released.run_id)["act", "return_value"])


def test_a_promotion_by_the_form_is_live_and_in_the_history_of_its_user(chosen: Chapter) -> None:
    assert (chosen.run_state, chosen.live["version"]) == ("success", 3)
    assert chosen.serving == chosen.live["collection"]
    told = [(step["actor"], step["reason"]) for step in chosen.version(3)["history"]]
    assert (USER, "promotion by hand: they were right") in told


def test_what_people_decide_is_announced_too(rest: Rest, chosen: Chapter) -> None:
    told = [event["extra"]["version"] for event in rest.asset_events() if event["uri"] == "nightjar://notes/live"]
    assert sorted(told) == [1, 1, 3]


def test_an_audit_of_a_sound_index_is_green(rest: Rest, audited: Chapter) -> None:
    assert audited.run_state == "success"
    said = rest.xcoms(AUDIT, audited.run_id)["audit", "return_value"]
    assert said == "version 3 is what its manifest says"


def test_another_embedding_waits_and_holds_no_night_and_no_lease(rest: Rest, asking: Chapter) -> None:
    assert (asking.live["version"], asking.version(4)["state"]) == (3, "waiting")
    assert json.loads(asking.state["lease.json"])["released"]
    assert rest.active(DAG) == {}


def test_the_question_says_what_waits(rest: Rest, asking: Chapter) -> None:
    question = rest.question(OPERATE, QUESTION, "ask")
    assert question["subject"] == "notes: may version 4 go live?"
    assert question["body"].startswith("    the embedding changed from ")
    assert question["options"] == ["Approve", "Reject"]


def test_an_approval_leads_to_the_promotion(rest: Rest, approved: Chapter) -> None:
    assert approved.states == {"act": "skipped", "describe": "success", "ask": "success", "answer": "success"}
    assert (approved.live["version"], approved.serving) == (4, approved.live["collection"])
    assert approved.version(4)["promoted_by"] == USER
    said = str(rest.xcoms(OPERATE, QUESTION)["answer", "return_value"])
    assert said == f"approved by {USER}: version 4 is live"


def test_stopping_in_the_middle_of_a_task_leaves_no_process(stopped: Stack) -> None:
    assert stopped.processes() == []
