from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from words import questions_about, text_of
from world import World, handbook

from nightjar.artifacts import run_key
from nightjar.errors import HeldBack
from nightjar.flows.runs import Options, find_run
from nightjar.flows.services import Services
from nightjar.flows.versions import keep_seconds, read_live, read_version
from nightjar_dags.ending import keep_report
from nightjar_dags.night import live_facts, options_of, waiting_as_asked
from nightjar_dags.reindex import form


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.put("leave.txt", "People may take thirty days of leave.")
    world.night()
    return world


def run_of(services: Services, number: int) -> str:
    run = find_run(services, f"night-{number}")
    assert run is not None
    return run.run_id


def test_an_untouched_form_asks_for_an_ordinary_night() -> None:
    assert options_of({name: param.value for name, param in form().items()}) == Options()


def test_an_emptied_prefix_is_none() -> None:
    values = {name: param.value for name, param in form().items()}
    assert options_of(values | {"prefix": ""}).prefix is None


def test_a_promotion_is_announced_with_its_facts(world: World) -> None:
    services = world.services()
    live = read_live(services.state)
    assert live is not None
    assert live_facts(services, live) == {
        "version": 1,
        "collection": "Handbook_b0001",
        "documents": 1,
        "chunks": 1,
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "verdicts": dict(read_version(services.state, live.version).verdicts),
    }


def test_verdicts_ride_on_the_announcement_with_main_figures_and_reports(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(evaluation={"questions": str(questions_about(tmp_path))}))
    for _ in range(2):
        world.put("leave.txt", text_of("leave", f"{world.nights}"))
        world.night()
    services = world.services()
    live = read_live(services.state)
    assert live is not None
    verdicts = live_facts(services, live)["verdicts"]
    told = {gate: (verdict["state"], verdict["report"]) for gate, verdict in verdicts.items()}
    folder = "s3://state/handbook/versions/000002"
    assert told == {
        "quality": ("pass", f"{folder}/quality.html"),
        "drift": ("none", f"{folder}/drift.html"),
        "evaluation": ("none", f"{folder}/evaluation.html"),
    }
    assert {"hybrid_ndcg", "hybrid_ndcg_live"} <= verdicts["evaluation"]["figures"].keys()


def test_a_version_that_waits_because_it_was_told_to_is_skipped() -> None:
    with pytest.raises(AirflowSkipException, match="waits"), waiting_as_asked(Options(promote=False)):
        raise HeldBack("version 2 waits: the run was asked not to promote")


def test_a_version_that_is_held_back_otherwise_is_red() -> None:
    with pytest.raises(HeldBack), waiting_as_asked(Options(promote=True)):
        raise HeldBack("version 2 waits: corpus handbook is on hold")


def test_the_report_of_a_sound_run_has_no_reason(world: World) -> None:
    report = keep_report(world.services(), "night-1", broken=[])
    assert report is not None
    assert (report["state"], report["reason"]) == ("live", None)


def test_the_report_and_the_version_say_the_same_of_seconds(world: World) -> None:
    services = world.services()
    keep_seconds(services.state, 1, {})
    report = keep_report(services, "night-1", broken=[])
    assert report is not None
    spent = {name: seconds for name, seconds in report["seconds"].items() if name != "total"}
    assert read_version(services.state, 1).cost["seconds"] == spent


def test_the_report_names_tasks_that_failed_without_a_word_of_the_version(world: World) -> None:
    report = keep_report(world.services(), "night-1", broken=["verify"])
    assert report is not None
    assert report["reason"].startswith("failed: verify;")


def test_the_report_of_a_run_that_was_overtaken_stays_as_it_was(world: World) -> None:
    services = world.services()
    keep_report(services, "night-1", broken=[])
    written = services.state.read(run_key("night-1", "report.json"))
    world.put("travel.txt", "Trains are booked by the travel desk.")
    world.night()
    assert keep_report(services, "night-1", broken=[]) is None
    assert services.state.read(run_key("night-1", "report.json")) == written


def test_a_run_that_ended_before_its_gate_claims_nothing(world: World) -> None:
    assert keep_report(world.services(), "never", broken=["settle"]) is None


def test_a_plan_that_waits_for_approval_is_reported_as_held(world: World) -> None:
    world.configure(limits={"tokens": 1})
    world.put("travel.txt", "Trains are booked by the travel desk.")
    with pytest.raises(HeldBack):
        world.night()
    report = keep_report(world.services(), "night-2", broken=["plan"])
    assert report is not None
    assert (report["state"], report["version"]) == ("held", None)
    assert report["reason"].startswith("the plan waits for approval")
