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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airflow_stack import Rest, Stack, airflow_stack, until

from nightjar.flows.services import Services
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.settings import Settings
from nightjar.wiring import open_services
from tools.stack.airflow import USER
from tools.stack.environment import client_environment
from tools.stack.place import Failed

pytestmark = [pytest.mark.airflow, pytest.mark.services, pytest.mark.slow]

DAG = "reindex_notes"
BRIEF = "reindex_brief"
OPERATE = "operate_notes"
AUDIT = "audit_notes"
EVALUATE = "evaluate_notes"
RUN_WITHIN_S = 300.0
CORPORA = {
    "notes": (
        "source: {uri: s3://documents/notes/}\n"
        "index: {alias: Notes}\n"
        "airflow: {stages: {promote: {pool: promotions}}}\n"
    ),
    "brief": "source: {uri: s3://documents/brief/}\n",
    "wrong": "source: {uri: s3://documents/wrong/}\nchunk: {max_token: 200}\n",
}
NOTES = {
    "harbour.txt": "The harbour master opens the lock at sunrise. Barges wait at the northern quay until then.",
    "lamp.txt": "Every lamp of the lighthouse is cleaned on Mondays. The keeper signs the yellow book afterwards.",
    "tides.txt": "Spring tides reach the second step of the pier. Boats are then moored with two lines each.",
}
# From the fourth version on: another embedding, questions, and a guard that forgives no deletion.
CHANGED = 'embed: {document_prompt: "note: "}\nevaluation: {questions: ./notes.jsonl}\ndeletions: {guard_count: 0}\n'
ASKED = {"When does the master open the lock?": "harbour.txt", "What does the keeper sign?": "lamp.txt"}
LATER = ("weather.txt", "Gale warnings are shown by two black cones on the mast beside the customs house.")
WORDS = ("harbour master", "lighthouse", "Spring tides")
OVER = {"success", "failed"}
QUESTION = "ask__version-4"
DELETIONS = "ask__deletions-"
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
    for dag_id in (DAG, BRIEF):
        session.await_dag(dag_id, timeout_s=120)
    (stack.corpora / "brief.yaml").unlink()
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
    nightjar(stack, "run", "notes")
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
    """A night with another embedding: version 4 waits, and a run of `operate` waits for an answer.

    A document is empty that night, and another is gone.
    """
    golden = ({"question": text, "relevant": [f"s3://documents/notes/{name}"]} for text, name in ASKED.items())
    (stack.corpora / "notes.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in golden))
    (stack.corpora / "notes.yaml").write_text(CORPORA["notes"] + CHANGED)
    put(stack, "empty.txt", "")
    take(stack, LATER[0])
    night = ordered(stack, rest, DAG)
    until(lambda: QUESTION in rest.runs(OPERATE), within_s=60)
    await_question(stack, rest, QUESTION)
    return night


@pytest.fixture(scope="module")
def approved(stack: Stack, rest: Rest, asking: Chapter) -> Chapter:
    """Somebody said yes."""
    return answered(stack, rest, QUESTION, "Approve")


@pytest.fixture(scope="module")
def scored(stack: Stack, rest: Rest, approved: Chapter) -> Chapter:
    """The questions asked again of what is live."""
    rest.unpause(EVALUATE)
    return ordered(stack, rest, EVALUATE)


@pytest.fixture(scope="module")
def mended(stack: Stack, rest: Rest, scored: Chapter) -> Chapter:
    """An audit with repair, after an object was lost."""
    with opened(stack) as services:
        lost = next(iter(scored.collections[str(scored.serving)]))
        services.index.delete(CollectionName(str(scored.serving)), [ChunkId(lost)])
    return ordered(stack, rest, AUDIT, repair=True)


@pytest.fixture(scope="module")
def asked_again(stack: Stack, rest: Rest, mended: Chapter) -> str:
    """Somebody had the withheld deletion put to a person; the run that waits for the answer."""
    run_id = rest.order(OPERATE, action="ask")
    await_question(stack, rest, run_id)
    return run_id


@pytest.fixture(scope="module")
def replayed(stack: Stack, rest: Rest, asked_again: str) -> Chapter:
    """The empty document tried again, while that question waits."""
    return ordered(stack, rest, OPERATE, action="replay")


@pytest.fixture(scope="module")
def let_go(stack: Stack, rest: Rest, asked_again: str, replayed: Chapter) -> Chapter:
    """The deletion approved, after another document went missing; the night that follows from it."""
    take(stack, "lamp.txt")
    answered(stack, rest, asked_again, "Approve")
    [night] = (run for run in rest.runs(DAG) if run.startswith("approved__deletions-"))
    until(lambda: rest.run_state(DAG, night) in OVER, within_s=RUN_WITHIN_S)
    return chapter(stack, rest, night)


@pytest.fixture(scope="module")
def kept(stack: Stack, rest: Rest, let_go: Chapter) -> Chapter:
    """The deletion that came since, which that night asked about, rejected."""
    until(lambda: any(run.startswith(DELETIONS) for run in rest.runs(OPERATE)), within_s=60)
    [question] = (run for run in rest.runs(OPERATE) if run.startswith(DELETIONS))
    await_question(stack, rest, question)
    return answered(stack, rest, question, "Reject")


@pytest.fixture(scope="module")
def stopped(stack: Stack, rest: Rest, kept: Chapter) -> Stack:
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


def is_awaited_in_vain(rest: Rest, dag_id: str) -> bool:
    try:
        rest.await_dag(dag_id, timeout_s=1)
    except Failed:
        return True
    return False


def await_question(stack: Stack, rest: Rest, run_id: str) -> None:
    """The run of `operate` can be answered."""
    until(lambda: rest.states(OPERATE, run_id)["ask"] == "awaiting_input", within_s=RUN_WITHIN_S)
    until(lambda: stack.let_go(OPERATE, run_id, "ask"), within_s=60)


def answered(stack: Stack, rest: Rest, run_id: str, option: str) -> Chapter:
    """The run of `operate` after a person's word."""
    rest.reply(OPERATE, run_id, "ask", option, reason="searchers know")
    until(lambda: rest.run_state(OPERATE, run_id) in OVER, within_s=RUN_WITHIN_S)
    return chapter(stack, rest, run_id, dag_id=OPERATE)


def put(stack: Stack, name: str, text: str) -> None:
    path = source(stack) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def take(stack: Stack, name: str) -> None:
    (source(stack) / name).unlink()


def source(stack: Stack) -> Path:
    return stack.bucket("documents") / "notes"


def nightjar(stack: Stack, *words: str) -> Any:
    """What the command line says of this stack."""
    command = [str(Path(sys.executable).with_name("nightjar")), *words, "--json"]
    return json.loads(subprocess.run(command, env=environment(stack), check=True, capture_output=True).stdout)


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
    with opened(stack) as services:
        serving = services.index.alias("Notes")
        return serving, {
            name: digests(services.index.scan(CollectionName(name), vectors=True))
            for name in services.index.collections()
        }


def found_documents(stack: Stack) -> list[str]:
    """Names of those that people find."""
    with opened(stack) as services:
        objects = services.index.scan(CollectionName(str(services.index.alias("Notes"))), vectors=False)
        return sorted(str(item.properties["source_uri"]).rpartition("/")[2] for item in objects)


@contextmanager
def opened(stack: Stack) -> Iterator[Services]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in client_environment(stack.place, stack.secrets).items():
            patch.setenv(name, value)
        settings = Settings.from_environment(os.environ)
        services = open_services(settings.corpus("notes"), settings)
    try:
        yield services
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


def test_a_dag_whose_corpus_file_was_taken_away_is_awaited_in_vain(rest: Rest) -> None:
    until(lambda: is_awaited_in_vain(rest, BRIEF), within_s=60)


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
    assert question["body"].startswith("    the embedding changed in the document prompt of ")
    assert question["options"] == ["Approve", "Reject"]


def test_an_approval_leads_to_the_promotion(rest: Rest, approved: Chapter) -> None:
    assert approved.states == {"act": "skipped", "describe": "success", "ask": "success", "answer": "success"}
    assert (approved.live["version"], approved.serving) == (4, approved.live["collection"])
    assert approved.version(4)["promoted_by"] == USER
    said = str(rest.xcoms(OPERATE, QUESTION)["answer", "return_value"])
    assert said == f"approved by {USER}: version 4 is live"


def test_a_promotion_is_announced_with_its_evaluation(rest: Rest, approved: Chapter) -> None:
    [verdicts] = (event["extra"]["verdicts"] for event in rest.asset_events() if event["extra"]["version"] == 4)
    told = verdicts["evaluation"]
    assert told["state"] == "warn"  # of the first model no answers to these questions are on record
    assert "nothing is compared with version" in told["reason"]


def test_what_is_live_is_scored_again_into_its_history(rest: Rest, approved: Chapter, scored: Chapter) -> None:
    assert scored.run_state == "success"
    before, after = (json.loads(each.state["evaluations.json"])["evaluations"] for each in (approved, scored))
    assert after[:-1] == before
    assert (after[-1]["version"], after[-1]["by"], after[-1]["state"]) == (4, scored.run_id, "none")
    assert rest.xcoms(EVALUATE, scored.run_id)["evaluate", "return_value"]["figures"] == after[-1]["figures"]


def test_scoring_again_is_no_promotion_to_announce(rest: Rest, approved: Chapter, scored: Chapter) -> None:
    assert [event["extra"]["version"] for event in rest.asset_events()].count(4) == 1


def test_an_audit_with_repair_brings_back_what_was_lost(rest: Rest, scored: Chapter, mended: Chapter) -> None:
    assert (mended.run_state, mended.collections) == ("success", scored.collections)
    said = rest.xcoms(AUDIT, mended.run_id)["audit", "return_value"]
    assert said == "version 4 is what its manifest says; 1 object was mended"


def test_a_replay_tries_quarantined_documents_again(stack: Stack, rest: Rest, replayed: Chapter) -> None:
    assert replayed.states == {"act": "success", "describe": "skipped", "ask": "skipped", "answer": "skipped"}
    [document] = nightjar(stack, "quarantine", "notes")["documents"]
    assert (document["source_uri"], document["code"]) == ("s3://documents/notes/empty.txt", "empty")
    assert document["attempts"] == 2


def test_approved_deletions_go_and_no_others(stack: Stack, let_go: Chapter) -> None:
    assert let_go.run_state == "success"
    assert found_documents(stack) == sorted(NOTES)


def test_rejected_deletions_stay_withheld(rest: Rest, let_go: Chapter, kept: Chapter) -> None:
    assert kept.states == {"act": "skipped", "describe": "success", "ask": "success", "answer": "success"}
    assert (kept.serving, kept.collections) == (let_go.serving, let_go.collections)
    said = str(rest.xcoms(OPERATE, kept.run_id)["answer", "return_value"])
    assert said.startswith(f"rejected by {USER}: deletions ")


def test_stopping_in_the_middle_of_a_task_leaves_no_process(stopped: Stack) -> None:
    assert stopped.processes() == []
