from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from contexts import context_of
from world import World

from nightjar.errors import HeldBack
from nightjar.flows.night import run_night
from nightjar.flows.questions import About, Question
from nightjar.flows.runs import Options
from nightjar.flows.versions import read_version
from nightjar.owner import Owner
from nightjar_dags.actions import Order, order_of
from nightjar_dags.approvals import body_of, going_on, question_now, reason_of, responder, verdict
from nightjar_dags.ending import question_of
from nightjar_dags.night import options_of
from nightjar_dags.operations import carry_out, decider
from nightjar_dags.reindex import form
from nightjar_dags.session import ANSWERED_BY, actor_of

DIGEST = "ab" * 32


@pytest.fixture
def held(tmp_path: Path) -> World:
    """A full refresh, the second night, would cost too much."""
    world = World(tmp_path)
    world.put("leave.txt", "People may take thirty days of leave.")
    world.night()
    world.configure(limits={"tokens": 1})
    with pytest.raises(HeldBack):
        world.night(full_refresh=True)
    return world


def restarted(world: World, about: About, key: str, *, night: str | None) -> Any:
    return going_on(world.services(), about, key, night=night, run_id="ask__1", who="mia")


def asked_for(start: Any) -> Options:
    return options_of({name: param.value for name, param in form().items()} | start.conf)


def test_the_facts_are_shown_as_they_are_and_not_as_markdown() -> None:
    question = Question(About.DELETIONS, DIGEST, "may they go?", ("1 document", "![x](http://x) <b>`_`"))
    assert body_of(question) == "    1 document\n    ![x](http://x) <b>`_`"


@pytest.mark.parametrize(
    ("user", "name"), [({"id": "1", "name": "mia"}, "mia"), ({"id": "1", "name": ""}, "1"), (None, None)]
)
def test_who_answered(user: object, name: str | None) -> None:
    assert responder({"responded_by_user": user}) == name


@pytest.mark.parametrize(
    ("reply", "reason"),
    [({"params_input": {"reason": " read it "}}, "read it"), ({"params_input": {}}, ""), ({"params_input": None}, "")],
)
def test_what_was_written_beside_the_answer(reply: dict[str, Any], reason: str) -> None:
    assert reason_of(reply) == reason


@pytest.mark.parametrize("action", ["promote", "reject"])
def test_an_answer_about_a_version_is_an_order(action: str) -> None:
    made = verdict(7, approved=action == "promote")
    assert made == Order(action, 7, (), None, "")
    assert order_of({"action": action, "version": 7, "documents": [], "reason": "", "night": None}) == made


def test_a_night_that_was_too_dear_goes_on_as_it_was_asked_for(held: World) -> None:
    start = restarted(held, About.COST, "1", night="night-2")
    assert start.trigger_dag_id == "reindex_handbook"
    assert asked_for(start) == Options(full_refresh=True, approve_cost=True)


def test_a_night_that_goes_on_deletes_what_was_approved_for_it_and_no_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    names = [f"{number:02}.txt" for number in range(20)]
    for name in names:
        world.put(name, f"# {name}\n\nThis is what {name} has to say.")
    world.night()
    world.configure(limits={"tokens": 1})
    world.remove(names[0])
    with pytest.raises(HeldBack):
        world.night(full_refresh=True, approve_deletions=True)
    world.remove(*names[1:13])
    report = world.night(**asdict(asked_for(restarted(world, About.COST, "1", night="night-2"))))
    assert (report["documents"]["deleted"], report["withheld"]["count"]) == (1, 12)


def test_approved_deletions_are_bound_to_their_list(held: World) -> None:
    start = restarted(held, About.DELETIONS, DIGEST, night="night-1")
    assert asked_for(start) == Options(approve_deletions=True, approved_list=DIGEST)


def test_the_run_that_was_approved_says_by_whom(held: World) -> None:
    assert restarted(held, About.COST, "1", night="night-2").note == "approved by mia"


def test_an_answer_starts_one_run_however_often_its_task_is_cleared(held: World) -> None:
    first, second = (restarted(held, About.COST, "1", night="night-2") for _ in range(2))
    assert first.dag_run_id == second.dag_run_id
    assert first.skip_when_already_exists


def test_what_is_handed_on_fits_the_form(held: World) -> None:
    conf = dict(restarted(held, About.COST, "1", night="night-2").conf)
    del conf[ANSWERED_BY]  # no field: nobody is to fill it in
    assert {name: form()[name].resolve(value) for name, value in conf.items()} == conf


@pytest.mark.parametrize(("about", "key"), [(About.COST, "1"), (About.DELETIONS, DIGEST)])
def test_the_run_that_was_approved_is_told_by_whom(held: World, about: About, key: str) -> None:
    assert restarted(held, about, key, night="night-2").conf[ANSWERED_BY] == "mia"


def test_history_names_who_approved_the_cost(held: World) -> None:
    start = restarted(held, About.COST, "1", night="night-2")
    held.put("travel.txt", "Trains are booked by the travel desk.")
    report = run_night(
        held.services(),
        run_id=start.dag_run_id,
        owner=Owner.dag(start.trigger_dag_id),
        options=asked_for(start),
        actor=actor_of(context_of(run_type="operator_triggered", conf=start.conf, user="otto")),
    )
    version = read_version(held.state, report["version"])
    assert (version.state, {step["actor"] for step in version.history}) == ("live", {"mia"})


def test_history_names_who_approved_a_version(held: World) -> None:
    held.configure(limits={"tokens": None})
    held.put("travel.txt", "Trains are booked by the travel desk.")
    with pytest.raises(HeldBack):
        held.night(promote=False)
    context = {"run_id": "ask__version-2", "dag": SimpleNamespace(dag_id="operate_handbook")}
    by = decider(context, actor=str(responder({"responded_by_user": {"id": "1", "name": "mia"}})), reason="read it")
    carry_out(held.services(), verdict(2, approved=True), by=by)
    steps = [(step["state"], step["actor"], step["reason"]) for step in read_version(held.state, 2).history]
    assert ("waiting", "mia", "promotion by hand: read it") in steps
    assert steps[-1] == ("live", "mia", "")


def test_a_night_names_what_it_left_open(held: World) -> None:
    assert question_of(held.services(), "night-2") == "cost-1"


def test_a_night_that_left_nothing_open_names_nothing(held: World) -> None:
    assert question_of(held.services(), "night-1") is None
    assert question_of(held.services(), "never") is None


def test_the_question_of_a_night_is_asked(held: World) -> None:
    question = question_now(held.services(), "night-2")
    assert question is not None
    assert question.about is About.COST


def test_a_night_that_nobody_knows_leaves_no_question(held: World) -> None:
    assert question_now(held.services(), "never") is None
