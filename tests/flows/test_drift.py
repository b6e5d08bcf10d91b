"""The drift gate over a corpus in memory: quiet nights pass, damaged ones stop, and a person may overrule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from world import World, handbook

from nightjar.adapters.memory.embedder import MemoryEmbedder
from nightjar.adapters.memory.state import MemoryState
from nightjar.artifacts import from_parquet, version_key
from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows.decisions import promote
from nightjar.flows.drift import compare_versions
from nightjar.flows.manifests import load_manifest
from nightjar.flows.samples import make_sample, sample_key
from nightjar.flows.versions import read_live, read_version
from nightjar.model import Vector, Violation
from nightjar.owner import Decider, Owner
from nightjar.ports import Stored
from nightjar.stages.states import State

pytestmark = pytest.mark.slow

SUBJECTS = ("pump", "valve", "motor", "filter", "cable", "panel", "sensor")
RULES = ("is cleaned", "is tested", "is replaced", "is measured", "is greased", "is photographed", "is weighed")


def text(number: int) -> str:
    """A page like the others, in words of its own."""
    random = np.random.default_rng(number)
    said = (
        f"The {random.choice(SUBJECTS)} {number * 7 + line} {random.choice(RULES)} by crew {random.integers(900)}."
        for line in range(12)
    )
    return f"# Page {number}\n\n{' '.join(said)}"


def misread(number: int) -> str:
    return text(number).replace("e", "é").encode().decode("latin-1")


def fill(world: World, *numbers: int) -> None:
    for number in numbers:
        world.put(f"{number:03d}.txt", text(number))


def spoil(world: World, *numbers: int) -> None:
    """Documents so badly misread that the quality rules set each of them aside."""
    for number in numbers:
        world.put(f"{number:03d}.txt", misread(number))
    world.suites.objects_to = lambda suite, row: (
        Violation(row["document_id"], "mojibake", "0.04", "mojibake", "It is misread.")
        if suite == "documents" and row["mojibake_share"] > 0.01
        else None
    )


class Reading:
    """A state whose readings are told."""

    def __init__(self, state: MemoryState, told: list[str]) -> None:
        self._state, self._told = state, told

    def read(self, key: str) -> Stored | None:
        self._told.append(key)
        return self._state.read(key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    fill(world, *range(40))
    world.night()
    return world


def drift(world: World, number: int) -> Mapping[str, Any]:
    found: Mapping[str, Any] = read_version(world.state, number).verdicts["drift"]
    return found


def decide(world: World, number: int) -> None:
    world.nights += 1
    promote(world.services(), number, by=Decider("decision", Owner.command(), "ada", "they are scans"))


def test_a_first_version_has_nothing_to_be_compared_with(world: World) -> None:
    assert drift(world, 1)["state"] is None
    assert drift(world, 1)["reason"] == "no live version to compare"


def test_a_quiet_night_is_called_quiet(world: World) -> None:
    fill(world, 40, 41)
    assert world.night()["verdicts"]["drift"]["state"] == "none"


def test_a_night_of_misread_documents_is_rejected_with_the_reason(world: World) -> None:
    before = world.served()
    for number in range(4):
        world.put(f"{number:03d}.txt", misread(number))
    with pytest.raises(HeldBack, match=r"drift: .*misread characters rose from 0% to 10%"):
        world.night()
    assert read_version(world.state, 2).state is State.REJECTED
    assert world.served() == before


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_a_tenth_set_aside_one_by_one_rejects_the_night_and_names_them(tmp_path: Path, strategy: str) -> None:
    world = World(tmp_path, handbook(index={"strategy": strategy}))
    fill(world, *range(40))
    world.night()
    before = world.served()
    spoil(world, *range(4))
    with pytest.raises(HeldBack, match="drift: documents set aside as misread or boilerplate rose from 0% to 10%"):
        world.night()
    assert read_version(world.state, 2).verdicts["quality"]["state"] == "pass"
    assert world.served() == before
    told = json.loads(world.state.objects[version_key(2, "drift.json")])["set_aside"]
    assert {each["source_uri"] for each in told} == {f"s3://documents/h/{number:03d}.txt" for number in range(4)}
    page = world.state.objects[version_key(2, "drift.html")].decode()
    look = page[page.index("Look at") : page.index("Detectors")]
    assert look.count("s3://documents/h/00") == 2 * 3
    assert "It is misread." in page


@pytest.mark.parametrize(
    ("documents", "spoilt", "state"), [(40, 1, "none"), (20, 4, "warn"), (8, 2, "none")], ids=["one", "small", "tiny"]
)
def test_a_few_or_those_of_a_small_corpus_that_are_set_aside_stop_no_night(
    tmp_path: Path, documents: int, spoilt: int, state: str
) -> None:
    world = World(tmp_path)
    fill(world, *range(documents))
    world.night()
    spoil(world, *range(spoilt))
    report = world.night()
    assert (report["state"], report["verdicts"]["drift"]["state"]) == ("live", state)


def test_documents_set_aside_on_the_first_night_are_no_news_on_the_second(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, *range(40))
    spoil(world, *range(4))
    assert world.night()["state"] == "live"
    fill(world, 40)
    report = world.night()
    assert (report["state"], report["verdicts"]["drift"]["state"]) == ("live", "none")


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_what_a_person_let_stay_in_quarantine_stops_no_later_night(tmp_path: Path, strategy: str) -> None:
    world = World(tmp_path, handbook(index={"strategy": strategy}))
    fill(world, *range(40))
    world.night()
    spoil(world, *range(4))
    for _ in range(2):
        with pytest.raises(HeldBack):
            world.night()
    decide(world, 2)
    assert world.night()["state"] == "unchanged"
    fill(world, 40)
    report = world.night()
    assert (report["state"], report["verdicts"]["drift"]["state"]) == ("live", "none")
    assert read_version(world.state, 3).verdicts["drift"]["figures"]["set_aside"] <= 0


def test_a_night_that_sets_fewer_aside_than_the_rejected_one_is_judged_anew(world: World) -> None:
    spoil(world, *range(40, 44))
    with pytest.raises(HeldBack, match="set aside"):
        world.night()
    world.remove("040.txt", "041.txt", "042.txt")
    assert world.night()["state"] == "live"


def test_never_lets_the_same_night_pass_with_its_verdict(world: World) -> None:
    world.configure(drift={"stops": "never"})
    for number in range(4):
        world.put(f"{number:03d}.txt", misread(number))
    report = world.night()
    assert (report["state"], report["verdicts"]["drift"]["state"]) == ("live", "fail")


def test_a_person_may_promote_what_drift_rejected(world: World) -> None:
    for number in range(4):
        world.put(f"{number:03d}.txt", misread(number))
    with pytest.raises(HeldBack):
        world.night()
    decide(world, 2)
    live = read_live(world.state)
    assert live is not None
    assert live.version == 2
    world.consistent()


def test_a_rejected_version_built_anew_is_overruled_too(world: World) -> None:
    for number in range(4):
        world.put(f"{number:03d}.txt", misread(number))
    with pytest.raises(HeldBack):
        world.night()
    for number in range(4):
        world.put(f"{number:03d}.txt", text(number))
    fill(world, 50)
    assert world.night()["state"] == "live"
    for number in range(4):
        world.put(f"{number:03d}.txt", misread(number))
    decide(world, 2)
    assert drift(world, 4)["state"] == "fail"
    live = read_live(world.state)
    assert live is not None
    assert live.version == 4


def test_warn_stops_where_the_corpus_file_says_so(world: World) -> None:
    world.configure(drift={"stops": "warn"})
    for number in range(40, 48):
        world.put(f"{number}.bin", text(number) * 200)
    with pytest.raises(HeldBack, match="drift: "):
        world.night()


def test_a_corpus_that_wants_no_comparison_gets_none_and_the_verdict_says_why(world: World) -> None:
    world.configure(drift={"enabled": False})
    fill(world, 40)
    verdict = world.night()["verdicts"]["drift"]
    assert (verdict["state"], verdict["reason"]) == (None, "the corpus file says drift.enabled: false")
    assert sample_key(2) in world.state.objects


def test_only_new_documents_are_read_for_a_sample(world: World) -> None:
    fill(world, 40)
    world.night()
    services = world.services()
    known = from_parquet(world.state.objects[sample_key(1)], key="sample")
    manifest = load_manifest(world.state, read_version(world.state, 2).manifest)
    read: list[str] = []
    services = replace(services, state=Reading(world.state, read))
    made = make_sample(services, manifest, known=known)
    assert len(set(made["document_id"].to_pylist())) == 41
    assert len(read) == 1
    assert made.equals(from_parquet(world.state.objects[sample_key(2)], key="sample"))


def test_three_documents_judge_only_the_model_and_say_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, 1, 2, 3)
    world.night()
    world.put("001.txt", misread(1))
    verdict = world.night()["verdicts"]["drift"]
    assert verdict["state"] == "none"
    assert "3 documents are too few" in verdict["reason"]


def test_twenty_documents_warn_at_most(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, *range(20))
    world.night()
    for number in range(4):
        world.put(f"{number:03d}.txt", misread(number))
    report = world.night()
    assert (report["state"], report["verdicts"]["drift"]["state"]) == ("live", "warn")
    assert "below 30 they only warn" in report["verdicts"]["drift"]["reason"]


class Rotated(MemoryEmbedder):
    """Another model behind the same recipe."""

    def embed(self, texts: Any) -> Vector:
        vectors = super().embed(texts)
        return np.roll(vectors, 1, axis=1)


def test_another_model_behind_the_same_recipe_is_rejected(world: World) -> None:
    world.embedder = Rotated()
    fill(world, 40)
    with pytest.raises(HeldBack, match="fixed texts other vectors"):
        world.night()


def test_vectors_of_a_broken_model_are_not_used_once_it_is_mended(world: World) -> None:
    world.embedder = Rotated()
    fill(world, 40)
    for more in (41, 42):
        with pytest.raises(HeldBack, match="fixed texts other vectors"):
            world.night()
        fill(world, more)
    world.embedder = MemoryEmbedder()
    assert world.night()["state"] == "live"
    calm = World(world.folder / "calm")
    fill(calm, *range(43))
    calm.night()
    assert {key: vector for key, (_, vector) in world.served().items()} == {
        key: vector for key, (_, vector) in calm.served().items()
    }


def test_a_person_may_still_promote_what_the_canary_rejected(world: World) -> None:
    world.embedder = Rotated()
    fill(world, 40)
    with pytest.raises(HeldBack):
        world.night()
    decide(world, 2)
    live = read_live(world.state)
    assert live is not None
    assert live.version == 2
    world.consistent()
    assert world.night()["state"] == "unchanged"


def test_a_planned_model_is_compared_by_embedding_the_live_sample_again(tmp_path: Path) -> None:
    world = World(tmp_path, handbook(embed={"switch": "automatic"}))
    fill(world, *range(40))
    world.night()
    world.model, world.embedder = "other", Rotated()
    report = world.night()
    assert (report["state"], report["verdicts"]["drift"]["state"]) == ("live", "none")
    kept = json.loads(world.state.objects[version_key(2, "drift.json")])
    assert any("embedded again" in note for note in kept["notes"])


def test_a_night_that_embeds_nothing_asks_no_model(world: World) -> None:
    world.embedder.embedded.clear()
    world.remove("000.txt")
    assert world.night()["verdicts"]["drift"]["state"] == "none"
    assert world.embedder.embedded == []


def test_any_two_versions_can_be_compared_again_and_nothing_is_written(world: World) -> None:
    fill(world, 40)
    world.night()
    before = dict(world.state.objects)
    report = compare_versions(world.services(), 1, 2)
    assert report.values["state"] == "none"
    assert report.values["sample"]["added"] == 1
    assert world.state.objects == before


def test_a_version_that_another_model_made_is_compared_by_what_both_keep_of_theirs(world: World) -> None:
    world.embedder = Rotated()
    fill(world, 40)
    with pytest.raises(HeldBack):
        world.night()
    report = compare_versions(world.services(), 1, 2)
    assert (report.values["state"], report.values["detectors"][0]["detector"]) == ("fail", "canary")


def test_a_version_without_documents_cannot_be_compared(world: World) -> None:
    with pytest.raises(Misconfigured, match="no version 9"):
        compare_versions(world.services(), 1, 9)


def test_a_version_of_a_release_without_samples_is_sampled_from_its_manifest(world: World) -> None:
    del world.state.objects[sample_key(1)]
    fill(world, 40)
    assert world.night()["verdicts"]["drift"]["state"] == "none"


def test_history_holds_the_last_twenty_verdicts_whatever_lies_between_them(world: World) -> None:
    for number in range(40, 63):
        fill(world, number)
        # Versions 20 to 22 are of nights that asked for no comparison.
        world.configure(drift={"enabled": number not in {58, 59, 60}})
        world.night()
    kept = json.loads(world.state.objects[version_key(24, "drift.json")])
    assert [each["version"] for each in kept["history"]] == [*range(2, 20), 23]
    page = world.state.objects[version_key(24, "drift.html")].decode()
    assert page.count("over the last versions, with its threshold") == len(kept["detectors"])
