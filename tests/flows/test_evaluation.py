"""Golden questions as a gate: a good night passes, a damaged one is rejected, and the evidence is kept with it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from words import TOPICS, WordEmbedder, questions_about, text_of
from world import Door, Killed, World, handbook

from nightjar.adapters.memory.index import MemoryIndex
from nightjar.artifacts import version_key
from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows.decisions import promote
from nightjar.flows.evaluating import evaluate
from nightjar.flows.golden import ask_of
from nightjar.flows.measuring import exact_side, index_side, overlay_side
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.runs import Options, resume
from nightjar.flows.scores import past_scores
from nightjar.flows.scoring_again import score_again
from nightjar.flows.versions import Version, read_version, read_versions
from nightjar.lease import Lease
from nightjar.model import CollectionName, Vector
from nightjar.owner import Decider, Owner
from nightjar.stages.states import State

pytestmark = pytest.mark.slow

OPTIONS = Options()
STRATEGIES = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


def world_of(
    folder: Path, *, strategy: str = "blue_green", topics: tuple[str, ...] = TOPICS, **evaluation: Any
) -> World:
    questions = questions_about(folder, topics)
    corpus = handbook(index={"strategy": strategy}, evaluation={"questions": str(questions), **evaluation})
    world = World(folder, corpus, embedder=WordEmbedder())
    for topic in TOPICS:
        world.put(f"{topic}.txt", text_of(topic))
    return world


def verdict(world: World, number: int) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = read_version(world.state, number).verdicts["evaluation"]
    return found


def report(world: World, number: int) -> dict[str, Any]:
    stored = world.state.read(version_key(number, "evaluation.json"))
    assert stored is not None
    found: dict[str, Any] = json.loads(stored.data)
    return found


def damage(world: World) -> None:
    """Tonight every document is written anew, and the model puts those of one word anywhere."""
    for topic in TOPICS:
        world.put(f"{topic}.txt", text_of(topic, "Damaged tonight."))
    embedder = world.embedder
    assert isinstance(embedder, WordEmbedder)
    embedder.damaged = "damaged"


@STRATEGIES
def test_a_good_night_goes_live_with_its_scores(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy=strategy)
    world.night()
    world.put("leave.txt", text_of("leave", "Ask your lead."))
    report_of_night = world.night()
    found = verdict(world, 2)
    assert report_of_night["state"] == "live"
    assert found is not None
    assert (found["state"], found["measured"]) == ("none", "index")
    assert found["figures"]["questions"] == len(TOPICS)
    assert found["figures"]["vector_ndcg"] == found["figures"]["vector_ndcg_live"] == 1.0
    world.consistent()


@STRATEGIES
def test_a_damaged_night_is_rejected_and_people_search_what_they_searched(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy=strategy)
    world.night()
    before = world.served()
    damage(world)
    with pytest.raises(HeldBack, match=r"nDCG@10 of vector search fell from 1\.000"):
        world.night()
    assert world.served() == before
    assert read_versions(world.state)[0].state is State.REJECTED
    assert (verdict(world, 2) or {})["state"] == "fail"
    world.consistent()


def test_in_place_nothing_is_written_when_vector_search_would_be_worse(tmp_path: Path) -> None:
    world = world_of(tmp_path, strategy="in_place")
    world.night()
    damage(world)
    watched = Counted(world.index)
    with pytest.raises(HeldBack):
        world.night(index=watched)
    assert watched.writes == 0
    assert report(world, 2)["measured"] == "overlay"


def test_in_place_what_only_shows_after_the_write_is_taken_back(tmp_path: Path) -> None:
    world = world_of(tmp_path, strategy="in_place")
    world.night()
    before = world.served()
    world.put("new.txt", text_of("gardens"))
    with pytest.raises(HeldBack, match=r"keyword.*taken back|taken back.*keyword"):
        world.night(index=DeafAfterWriting(world.index))
    assert world.served() == before
    assert (verdict(world, 2) or {})["measured"] == "index"
    assert read_versions(world.state)[0].state is State.REJECTED
    world.consistent()


def test_a_step_that_died_while_taking_back_goes_on_taking_back(tmp_path: Path) -> None:
    """A verdict is not found again on a collection that is half taken back: it might look well."""
    world = world_of(tmp_path, strategy="in_place")
    world.night()
    before = world.served()
    world.put("new.txt", text_of("gardens"))
    services = world.services(index=DeafAfterWriting(world.index))
    owner = Owner.dag("reindex_handbook")
    with pytest.raises(Killed):
        run_night(
            replace(services, passing=dying_at(Point.DELTA_WRITTEN, time=2)), run_id="n", owner=owner, options=OPTIONS
        )
    again = world.services()  # every word is found again
    lease = Lease.acquire(again.state, run_id="n", owner=owner, ttl_s=60.0)
    with pytest.raises(HeldBack, match="taken back"):
        evaluate(again, resume(again, "n"), lease=lease)
    assert world.served() == before
    assert read_versions(world.state)[0].state is State.REJECTED


@STRATEGIES
@pytest.mark.parametrize("point", [Point.OVERLAID, Point.WRITING, Point.VERIFIED, Point.EVALUATED])
def test_a_red_night_that_died_leaves_what_people_search(tmp_path: Path, strategy: str, point: Point) -> None:
    world = world_of(tmp_path, strategy=strategy)
    world.night()
    before = world.served()
    damage(world)
    services = replace(world.services(), passing=dying_at(point, time=1))
    with pytest.raises((Killed, HeldBack)):
        run_night(services, run_id="n", owner=Owner.dag("reindex_handbook"), options=OPTIONS)
    with pytest.raises(HeldBack, match="is rejected"):
        world.night()
    assert world.served() == before
    world.consistent()


@STRATEGIES
def test_the_same_content_is_not_judged_again_until_the_questions_change(tmp_path: Path, strategy: str) -> None:
    world = world_of(tmp_path, strategy=strategy)
    world.night()
    damage(world)
    for _ in range(2):
        with pytest.raises(HeldBack):
            world.night()
    assert read_versions(world.state)[0].number == 2
    questions_about(tmp_path, TOPICS[:1])
    assert world.night()["version"] == 3


def test_what_was_taken_back_is_not_written_again(tmp_path: Path) -> None:
    world = world_of(tmp_path, strategy="in_place")
    world.night()
    world.put("new.txt", text_of("gardens"))
    with pytest.raises(HeldBack, match="taken back"):
        world.night(index=DeafAfterWriting(world.index))
    watched = Counted(world.index)
    with pytest.raises(HeldBack, match="tonight makes the same"):
        world.night(index=watched)
    assert watched.writes == 0


@pytest.mark.parametrize("change", [text_of("leave", "Ask your lead."), None], ids=["changed", "deleted"])
def test_the_overlay_finds_what_search_finds_after_the_write(tmp_path: Path, change: str | None) -> None:
    world = world_of(tmp_path, strategy="in_place")
    world.night()
    if change is None:
        world.remove("leave.txt")
    else:
        world.put("leave.txt", change)
    world.put("garden.txt", text_of("gardens"))
    seen = Overlaid(world.index)
    world.night(index=seen)
    before, after = read_version(world.state, 1), read_version(world.state, 2)
    services = world.services()
    asked = ask_of(services, after, before, run_id=None)
    assert asked is not None
    name = CollectionName(str(after.collection))
    foretold = overlay_side(world.services(index=seen.before), name, before, after, asked)
    assert foretold == index_side(services, name, asked, ("vector",))
    assert foretold == exact_side(services, after, asked)


def test_a_first_version_is_held_to_its_floor_alone(tmp_path: Path) -> None:
    world = world_of(tmp_path, floor={"ndcg": 0.9})
    (tmp_path / "questions.jsonl").write_text(
        '{"question": "rules of leave", "relevant": ["s3://documents/h/travel.txt"]}'
    )
    with pytest.raises(HeldBack, match=r"below the floor of 0\.9 \(evaluation\.floor\.ndcg\)"):
        world.night()
    assert world.index.alias("Handbook") is None
    assert report(world, 1)["live"] is None


def test_a_corpus_without_questions_is_not_judged(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put("leave.txt", text_of("leave"))
    world.night()
    found = verdict(world, 1)
    assert found is not None
    assert found["state"] is None
    assert found["reason"].startswith("handbook has no golden questions: name a file of them")
    assert world.state.read(version_key(1, "evaluation.json")) is None


def test_a_version_with_none_of_the_documents_asked_about_is_not_judged_and_says_so(tmp_path: Path) -> None:
    world = world_of(tmp_path, topics=("gone",))
    assert world.night()["state"] == "live"
    found = verdict(world, 1)
    assert found is not None
    assert found["reason"] == "version 1 has none of the documents that the questions of handbook name"


def test_an_unknown_document_is_told_and_stops_nothing(tmp_path: Path) -> None:
    world = world_of(tmp_path, topics=(*TOPICS, "gone"))
    world.night()
    told = report(world, 1)
    assert told["unknown"] == [{"line": len(TOPICS) + 1, "document": "s3://documents/h/gone.txt"}]
    assert told["questions"] == len(TOPICS)


def test_a_question_about_a_document_that_left_is_nobodys_regression(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.night()
    world.remove(*(f"{topic}.txt" for topic in TOPICS[:3]))
    assert world.night()["state"] == "live"
    assert report(world, 2)["questions"] == len(TOPICS) - 3


def test_a_question_about_a_document_that_came_tonight_is_not_compared(tmp_path: Path) -> None:
    world = world_of(tmp_path, topics=(*TOPICS, "garden"))
    world.night()
    world.put("garden.txt", text_of("garden"))
    world.night()
    assert (report(world, 2)["questions"], report(world, 2)["compared"]) == (len(TOPICS) + 1, len(TOPICS))


def test_questions_are_embedded_once_a_night(tmp_path: Path) -> None:
    world = world_of(tmp_path, strategy="in_place")
    world.night()
    world.put("leave.txt", text_of("leave", "Ask your lead."))
    counted = Embeds()
    world.embedder = counted
    world.night()
    assert sorted(counted.asked) == sorted(f"rules of {topic}" for topic in TOPICS)


def test_a_night_that_changes_nothing_to_find_is_not_scored_again(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.night()
    world.put("broken.txt", "%BAD bytes")
    world.night()
    newest: Version = read_versions(world.state)[0]
    found = newest.verdicts["evaluation"]
    assert (newest.number, newest.strategy) == (2, "shared")
    assert found["reason"] == "its content is that of version 1, whose scores these are"


def test_a_person_overrules_a_red_evaluation(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.night()
    damage(world)
    with pytest.raises(HeldBack):
        world.night()
    by = Decider("decision-1", Owner.dag("reindex_handbook"), "mia@host", "known")
    assert promote(world.services(), 2, by=by).live == 2
    world.consistent()


def test_a_red_version_that_was_overtaken_is_built_anew_and_overruled(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.night()
    world.put("more.txt", text_of("more"))
    damage(world)
    with pytest.raises(HeldBack):
        world.night()
    world.night(prefix="more")
    by = Decider("decision-1", Owner.dag("reindex_handbook"), "mia@host", "known")
    decided = promote(world.services(), 2, by=by)
    assert decided.live == decided.rebuilt == 4
    assert (verdict(world, 4) or {})["state"] == "fail"
    world.consistent()


def test_the_history_names_every_evaluation_once(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.night()
    world.put("new.txt", text_of("gardens"))
    world.night()
    entries = past_scores(world.services(), limit=10)
    assert [(entry["version"], entry["by"]) for entry in entries] == [(1, "night-1"), (2, "night-2")]
    assert [each["version"] for each in report(world, 2)["trend"]] == [1]


def test_what_was_foretold_of_an_in_place_version_is_no_part_of_its_own_trend(tmp_path: Path) -> None:
    world = world_of(tmp_path, strategy="in_place")
    world.night()
    world.put("new.txt", text_of("gardens"))
    world.night()
    assert report(world, 2)["measured"] == "index"
    assert [each["version"] for each in report(world, 2)["trend"]] == [1]


def test_the_page_shows_what_was_found_before_and_now(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.night()
    damage(world)
    with pytest.raises(HeldBack):
        world.night()
    stored = world.state.read(version_key(2, "evaluation.html"))
    assert stored is not None
    page = stored.data.decode()
    assert "Questions that got worse" in page
    assert "Version 1 found" in page
    assert "Damaged tonight." in page


def test_a_wrong_file_of_questions_stops_the_night_before_anything_is_live(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    (tmp_path / "questions.jsonl").write_text('{"question": "a", "relevent": []}')
    with pytest.raises(Misconfigured, match=r"questions.jsonl:1: relevent: unknown key; did you mean relevant\?"):
        world.night()
    assert world.index.alias("Handbook") is None


def test_another_model_is_compared_by_what_live_was_recorded_with(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.configure(embed={"switch": "automatic"})
    world.night()
    world.model = "other"
    world.night()
    assert (report(world, 2)["live"], report(world, 2)["compared"]) == (1, len(TOPICS))


def test_against_a_record_the_page_shows_what_was_found_before_without_its_words(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.configure(embed={"switch": "automatic"})
    world.night()
    world.model = "other"
    assert isinstance(world.embedder, WordEmbedder)
    world.embedder.damaged = "rules"
    with pytest.raises(HeldBack, match="fell from"):
        world.night()
    found = report(world, 2)["worse"][0]["before"]["found"]
    assert found[0]["relevant"]
    assert {each["excerpt"] for each in found} == {""}
    page = world.state.objects[version_key(2, "evaluation.html")].decode()
    assert page.count("Version 1 found<") == page.count("Version 2 found<") == len(report(world, 2)["worse"])


def test_a_record_of_an_earlier_release_is_compared_without_what_was_found(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.configure(embed={"switch": "automatic"})
    world.night()
    kept = report(world, 1)
    for each in kept["scores"]:
        del each["found"]
    world.state.write(version_key(1, "evaluation.json"), json.dumps(kept).encode())
    world.model = "other"
    world.night()
    assert report(world, 2)["compared"] == len(TOPICS)


def test_a_worse_model_is_stopped_also_where_a_question_is_about_a_new_document(tmp_path: Path) -> None:
    world = world_of(tmp_path, topics=(*TOPICS, "garden"))
    world.configure(embed={"switch": "automatic"})
    world.night()
    world.model = "other"
    assert isinstance(world.embedder, WordEmbedder)
    world.embedder.damaged = "rules"
    world.put("garden.txt", text_of("garden"))
    with pytest.raises(HeldBack, match="fell from"):
        world.night()
    assert (report(world, 2)["live"], report(world, 2)["compared"]) == (1, len(TOPICS))


def test_what_nothing_on_record_can_be_compared_with_is_a_warning(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.configure(embed={"switch": "automatic"})
    world.night()
    world.model = "other"
    questions_about(tmp_path, TOPICS[:6])
    world.night()
    told = report(world, 2)
    assert (told["state"], told["live"], told["compared"]) == ("warn", None, 0)
    assert "nothing is compared with version 1" in told["reason"]


def test_any_two_versions_are_compared_on_demand(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    for more in ("", "Ask your lead.", "Ask your manager.", "Ask nobody."):
        world.put("leave.txt", text_of("leave", more))
        world.night()
    told = score_again(world.services(), number=2, against=1, by="mia")
    assert (told["version"], told["live"], told["compared"]) == (2, 1, len(TOPICS))
    assert {each["mode"] for each in told["measures"]} == {"vector"}
    told = score_again(world.services(), number=None, against=3, by="mia")
    assert (told["version"], told["live"], told["measured"]) == (4, 3, "index")
    assert all(each["live"] for each in told["measures"])


def test_a_version_of_another_model_is_compared_by_its_record_or_the_reason_is_told(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.configure(embed={"switch": "automatic"})
    world.night()
    world.model = "other"
    world.night()
    assert score_again(world.services(), number=2, against=1, by="mia")["compared"] == len(TOPICS)
    questions_about(tmp_path, TOPICS[:3])
    with pytest.raises(Misconfigured, match=r"version 1 was embedded otherwise than version 2, and these questions"):
        score_again(world.services(), number=2, against=1, by="mia")
    with pytest.raises(Misconfigured, match="version 2 can be compared with itself by its scores on record alone"):
        score_again(world.services(), number=2, against=2, by="mia")


def test_a_version_that_never_came_to_its_gate_is_nothing_to_compare_with(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.night()
    world.put("leave.txt", text_of("leave", "Ask your lead."))
    services = replace(world.services(), passing=dying_at(Point.NUMBERED, time=1))
    with pytest.raises(Killed):
        run_night(services, run_id="n", owner=Owner.dag("reindex_handbook"), options=OPTIONS)
    with pytest.raises(Misconfigured, match="version 2 is building and has no documents to ask about"):
        score_again(world.services(), number=1, against=2, by="mia")


def dying_at(point: Point, *, time: int) -> Callable[[Point], None]:
    """The process ends when it passes that point for that time."""
    passed = itertools.count(1)

    def die(at: Point) -> None:
        if at is point and next(passed) == time:
            raise Killed

    return die


class Embeds(WordEmbedder):
    """Remembers the questions that it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed_query(self, text: str) -> Vector:
        self.asked.append(text)
        return super().embed_query(text)


class Counted(Door):
    """Counts writes."""

    writes = 0

    def write(self, name: CollectionName, objects: Any) -> int:
        self.writes += 1
        return self._index.write(name, objects)


class DeafAfterWriting(Counted):
    """Finds no word any more once something was written."""

    def search(self, name: str, query: Any) -> Any:
        return [] if self.writes and query.mode == "keyword" else self._index.search(name, query)


class Overlaid(Door):
    """Keeps the index as it was before the first write."""

    def __init__(self, index: MemoryIndex) -> None:
        super().__init__(index)
        self.before = index

    def write(self, name: CollectionName, objects: Any) -> int:
        if self.before is self._index:
            self.before = MemoryIndex()
            self.before.create(name, self._index.schema(name))
            self.before.write(name, list(self._index.scan(name, vectors=True)))
        return self._index.write(name, objects)
