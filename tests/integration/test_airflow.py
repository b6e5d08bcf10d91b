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
from tools.stack.environment import client_environment

pytestmark = [pytest.mark.airflow, pytest.mark.services, pytest.mark.slow]

DAG = "reindex_notes"
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
SHARD = [("shard.parse", 0), ("shard.chunk", 0), ("shard.embed", 0)]
BEFORE_PROMOTION = {"settle", "plan", "shard.parse", "shard.chunk", "shard.embed", "gate", "index", "verify"}


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
def stopped(stack: Stack, rest: Rest, too_late: Chapter) -> Stack:
    """Everything ended while a task is at work."""
    run_id = rest.trigger(DAG)
    until(lambda: rest.states(DAG, run_id).get("settle") == "running", within_s=120)
    stack.stop()
    return stack


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
    return tasks["verify"]["try_number"] == tries and tasks["promote"]["state"] == "scheduled"


def chapter(stack: Stack, rest: Rest, run_id: str) -> Chapter:
    tasks = rest.tasks(DAG, run_id)
    serving, collections = indexes(stack)
    return Chapter(
        run_id=run_id,
        run_state=rest.run_state(DAG, run_id),
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
    assert {name for name, state in cleared.items() if state != "skipped"} == {"finish"}
    assert too_late.run_state == "success"


def test_a_shard_cleared_after_a_later_promotion_changes_nothing_that_is_served(
    overtaken: Chapter, too_late: Chapter
) -> None:
    assert (too_late.serving, too_late.collections) == (overtaken.serving, overtaken.collections)


def test_a_shard_cleared_after_a_later_promotion_changes_no_state(overtaken: Chapter, too_late: Chapter) -> None:
    before, after = overtaken.state, too_late.state
    assert {name for name in before | after if before.get(name) != after.get(name)} == set()


def test_stopping_in_the_middle_of_a_task_leaves_no_process(stopped: Stack) -> None:
    assert stopped.processes() == []
