"""What a night leaves for a person: one question, bound to what is asked about, closed when that waits no more."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from world import World

from nightjar.errors import HeldBack
from nightjar.flows.decisions import promote, reject
from nightjar.flows.deletions import withheld_digest
from nightjar.flows.questions import About, Question, open_question, question_after, why_closed
from nightjar.flows.rollback import hold
from nightjar.flows.runs import find_run
from nightjar.owner import Decider, Owner

pytestmark = pytest.mark.slow

NAMES = tuple(f"{number:02}.txt" for number in range(20))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Twenty documents are live."""
    world = World(tmp_path)
    for name in NAMES:
        put(world, name)
    world.night()
    return world


def put(world: World, name: str, text: str = "") -> None:
    world.put(name, text or f"# Document {name}\n\nThis is what {name} has to say.")


def asked(world: World, **options: Any) -> Question | None:
    """One more night, whether it is held back or not, and what it left open."""
    with suppress(HeldBack):
        world.night(**options)
    return left(world, f"night-{world.nights}")


def left(world: World, run_id: str) -> Question | None:
    services = world.services()
    night = find_run(services, run_id)
    assert night is not None
    return question_after(services, night)


def other_model(world: World) -> Question:
    """A night under another model, whose version 2 waits."""
    world.model = "other"
    question = asked(world)
    assert question is not None
    return question


def many_deleted(world: World) -> Question:
    world.remove(*NAMES[:11])
    question = asked(world)
    assert question is not None
    return question


def too_dear(world: World) -> Question:
    world.configure(limits={"tokens": 10})
    put(world, "new.txt", "many words " * 500)
    question = asked(world)
    assert question is not None
    return question


def by(world: World) -> Decider:
    return Decider(f"decision-{world.nights}", Owner.command(), "mia@host", "")


def test_a_sound_night_asks_nothing(world: World) -> None:
    put(world, "new.txt")
    assert asked(world) is None


def test_a_plan_above_the_limits_asks_about_its_cost(world: World) -> None:
    question = too_dear(world)
    assert (question.about, question.key) == (About.COST, "1")
    assert "limits.tokens allows 10" in question.facts[0]


def test_another_embedding_asks_about_the_version(world: World) -> None:
    question = other_model(world)
    assert (question.about, question.key) == (About.VERSION, "2")
    assert question.headline == "handbook: may version 2 go live?"
    assert "the embedding changed from memory to other" in question.facts[0]


def test_a_version_is_asked_about_with_what_it_changes(world: World) -> None:
    put(world, "new.txt")
    facts = other_model(world).facts
    place = facts.index("against version 1, which is live: 1 added, 20 changed, 0 removed")
    assert facts[place + 1] == "added s3://documents/h/new.txt"


def test_another_embedding_is_asked_about_with_what_the_gates_said_and_where_their_pages_lie(world: World) -> None:
    questions = [{"question": f"What has {name} to say?", "relevant": [f"s3://documents/h/{name}"]} for name in NAMES]
    (world.folder / "golden.jsonl").write_text("\n".join(map(json.dumps, questions)))
    world.configure(evaluation={"questions": str(world.folder / "golden.jsonl"), "max_regression": 1})
    put(world, "new.txt")
    world.night()
    facts = other_model(world).facts
    pages = "s3://state/handbook/versions/000003"
    assert {f"{gate} report: {pages}/{gate}.html" for gate in ("quality", "drift", "evaluation")} <= set(facts)
    drift, evaluation = (
        next(fact for fact in facts if fact.startswith(f"{gate}: ")) for gate in ("drift", "evaluation")
    )
    assert "the live sample was embedded again with the new one" in drift
    assert re.search(r"20 questions; nDCG@10 of hybrid search [01]\.\d{3}, live [01]\.\d{3}, difference", evaluation)


def test_a_gate_that_judged_nothing_is_asked_about_with_the_reason(world: World) -> None:
    assert any(fact.startswith("evaluation: not judged: handbook has no golden") for fact in other_model(world).facts)


def test_a_version_that_waits_under_a_hold_asks_nobody(world: World) -> None:
    hold(world.services(), reason="audit season")
    put(world, "new.txt")
    assert asked(world) is None


def test_a_version_that_was_to_wait_asks_nobody(world: World) -> None:
    put(world, "new.txt")
    assert asked(world, promote=False) is None


def test_withheld_deletions_are_asked_about_with_the_list_and_its_dates(world: World) -> None:
    question = many_deleted(world)
    assert (question.about, question.key) == (About.DELETIONS, withheld_digest(world.state))
    assert question.facts[0] == "11 documents are gone from the bucket and still found by search"
    assert question.facts[1].startswith("missed since 2026-01-03T02:00:")
    assert [fact.rpartition("/")[2] for fact in question.facts[1:]] == list(NAMES[:11])


def test_the_same_list_is_the_same_question(world: World) -> None:
    first = many_deleted(world)
    put(world, "new.txt")
    second = asked(world)
    assert second is not None
    assert second.name == first.name


def test_a_night_that_makes_what_waits_already_asks_the_same(world: World) -> None:
    assert other_model(world) == asked(world)


def test_a_longer_list_is_another_question(world: World) -> None:
    first = many_deleted(world)
    world.remove(NAMES[11])
    second = asked(world)
    assert second is not None
    assert second.name != first.name


def test_names_from_outside_are_printable_lines_of_bounded_length(world: World) -> None:
    put(world, "odd\n# heading\u202e" + "x" * 500 + ".txt")
    facts = other_model(world).facts
    assert all(fact.isprintable() and len(fact) <= 300 for fact in facts)
    assert any("odd # heading" in fact for fact in facts)


def test_long_lists_are_cut(world: World) -> None:
    for number in range(40):
        put(world, f"more-{number}.txt")
    facts = other_model(world).facts
    assert len([fact for fact in facts if fact.startswith(("added ", "changed "))]) == 20


@pytest.mark.parametrize("question", [too_dear, other_model, many_deleted])
def test_a_question_stands_until_it_is_decided(world: World, question: Any) -> None:
    open_now: Question = question(world)
    assert why_closed(world.services(), open_now.about, open_now.key) == ""


def test_a_cost_is_past_when_another_version_went_live(world: World) -> None:
    question = too_dear(world)
    world.night(approve_cost=True)
    assert why_closed(world.services(), question.about, question.key) == (
        "version 2 went live since: the plan of that night is past"
    )


def test_a_night_that_was_overtaken_asks_nothing_any_more(world: World) -> None:
    too_dear(world)
    held = f"night-{world.nights}"
    world.night(approve_cost=True)
    assert left(world, held) is None


@pytest.mark.parametrize("verb", [promote, reject])
def test_a_version_that_was_decided_on_waits_no_more(world: World, verb: Any) -> None:
    question = other_model(world)
    verb(world.services(), 2, by=by(world))
    assert why_closed(world.services(), question.about, question.key) == "version 2 waits no more"


def test_a_later_version_that_waits_takes_the_question_over(world: World) -> None:
    question = other_model(world)
    put(world, "new.txt")
    asked(world)
    assert why_closed(world.services(), question.about, question.key) == "version 3 waits since: decide on that one"


def test_a_version_that_others_have_overtaken_is_asked_about_no_more(world: World) -> None:
    question = other_model(world)
    world.model = "memory"
    put(world, "new.txt")
    world.night()
    assert open_question(world.services()) is None
    assert why_closed(world.services(), question.about, question.key) == "version 3 went live since"


def test_deletions_are_past_when_the_documents_are_back(world: World) -> None:
    question = many_deleted(world)
    for name in NAMES[:11]:
        put(world, name)
    world.night()
    assert why_closed(world.services(), question.about, question.key) == "none of these deletions is withheld any more"


def test_an_older_list_can_be_answered_while_some_of_it_is_withheld(world: World) -> None:
    question = many_deleted(world)
    put(world, NAMES[0])
    world.remove(NAMES[11])
    world.night()
    assert why_closed(world.services(), question.about, question.key) == ""


def test_without_a_night_the_version_that_waits_is_asked_about(world: World) -> None:
    put(world, "new.txt")
    asked(world, promote=False)
    question = open_question(world.services())
    assert question is not None
    assert question.name == "version-2"


def test_without_a_night_withheld_deletions_are_asked_about(world: World) -> None:
    assert open_question(world.services()) is None
    question = many_deleted(world)
    assert open_question(world.services()) == question
