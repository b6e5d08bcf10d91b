"""Nights over a small corpus in memory: what is made, what is left alone, what survives a death at any moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract_index import SCHEMA
from world import Killed, World, handbook

from nightjar.adapters.memory.embedder import MemoryEmbedder
from nightjar.errors import Code, HeldBack, Misconfigured
from nightjar.flows import embedding, inplace
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.runs import Options
from nightjar.flows.versions import read_versions
from nightjar.model import CollectionName, Vector, Violation
from nightjar.owner import Owner
from nightjar.stages.states import State


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.\n\nAsk your lead two weeks ahead.")
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.put("broken.txt", "%BAD bytes")
    return world


def test_a_first_night_serves_every_readable_document(world: World) -> None:
    report = world.night()
    assert report["state"] == "live"
    assert report["documents"] == {
        "added": 3,
        "changed": 0,
        "deleted": 0,
        "renamed": 0,
        "unchanged": 0,
        "quarantined": 1,
        "access_changed": 0,
    }
    assert report["chunks"]["written"] == report["chunks"]["total"] == len(world.served())
    assert any("thirty days" in text for text in world.texts())
    world.consistent()


def test_a_second_night_without_changes_makes_no_version_and_reads_no_document(world: World) -> None:
    world.night()
    world.source.fetched.clear()
    before = dict(world.state.objects)
    report = world.night()
    assert (report["state"], report["version"]) == ("unchanged", None)
    assert world.source.fetched == []
    assert {k: v for k, v in world.state.objects.items() if not k.startswith(("runs/", "lease"))} == {
        k: v for k, v in before.items() if not k.startswith(("runs/", "lease"))
    }


def test_heavy_doors_open_ahead_only_where_there_is_something_to_make(world: World) -> None:
    around: list[str] = []

    @contextmanager
    def opened_ahead() -> Iterator[None]:
        around.append("opening")
        yield
        around.append("over")

    def night() -> None:
        services = replace(world.services(), opened_ahead=opened_ahead, passing=lambda point: around.append(str(point)))
        world.nights += 1
        run_night(services, run_id=f"n{world.nights}", owner=Owner.dag("reindex_handbook"), options=Options())

    night()
    made = [str(Point.PARSED), str(Point.CHUNKED), str(Point.EMBEDDED)]
    assert around[around.index("opening") : around.index("over") + 1] == ["opening", *made, "over"]
    around.clear()
    night()
    assert around[0] == str(Point.LEASED)
    assert "opening" not in around


def test_a_night_does_only_what_changed(world: World) -> None:
    world.night()
    world.put(
        "leave.txt", "# Leave\n\nEveryone has thirty-five days of leave a year.\n\nAsk your lead two weeks ahead."
    )
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    world.source.put("h/moved/travel.txt", b"# Travel\n\nTrains before planes, always.")
    world.source.remove("h/travel.txt")
    world.parser.parsed.clear()
    report = world.night()
    assert {k: v for k, v in report["documents"].items() if v} == {
        "added": 1,
        "changed": 1,
        "renamed": 1,
        "unchanged": 1,
    }
    assert sorted(world.parser.parsed) == ["h/leave.txt", "h/new.txt"]
    assert any("thirty-five" in text for text in world.texts())
    assert not any("thirty days" in text for text in world.texts())
    world.consistent()


def test_unchanged_text_of_a_changed_document_keeps_its_vector(world: World) -> None:
    long = "\n\n".join(f"# Part {n}\n\n" + f"Rule number {n} of this part is kept by all. " * 20 for n in range(6))
    world.put("rules.txt", long)
    first = world.night()
    world.put("rules.txt", long.replace("Rule number 3 of", "Rule number 33 of", 1))
    second = world.night()
    assert second["documents"]["changed"] == 1
    assert 0 < second["chunks"]["embedded"] < first["chunks"]["embedded"]
    assert second["chunks"]["reused"] > 0


def test_a_deleted_document_is_no_longer_found(world: World) -> None:
    world.night()
    world.source.remove("h/travel.txt")
    assert world.night()["documents"]["deleted"] == 1
    assert not any("Trains" in text for text in world.texts())


def test_a_document_that_fails_today_keeps_what_it_had(world: World) -> None:
    world.night()
    world.put("travel.txt", "%BAD")
    report = world.night()
    assert report["documents"]["quarantined"] == 1
    assert any("Trains" in text for text in world.texts())
    assert world.night()["state"] == "unchanged"


def test_a_repaired_document_leaves_quarantine(world: World) -> None:
    world.night()
    world.put("broken.txt", "# Mended\n\nIt reads again.")
    report = world.night()
    assert report["documents"]["changed"] == 1
    assert any("reads again" in text for text in world.texts())


def test_another_model_embeds_everything_again_and_parses_nothing(world: World) -> None:
    world.corpus = handbook(embed={"switch": "automatic"})
    first = world.night()
    world.model = "other"
    world.parser.parsed.clear()
    report = world.night()
    assert world.parser.parsed == []
    assert report["chunks"]["embedded"] == first["chunks"]["embedded"]


def test_another_model_waits_for_a_person_and_shows_nothing(world: World) -> None:
    world.night()
    before = world.served()
    world.model = "other"
    with pytest.raises(HeldBack, match="embed their questions anew"):
        world.night()
    assert world.served() == before
    assert read_versions(world.state)[0].state is State.WAITING


def test_a_document_that_fails_under_another_model_is_lost_and_holds_the_version_back(world: World) -> None:
    world.corpus = handbook(embed={"switch": "automatic"})
    world.night()
    before = world.served()
    world.model = "other"
    world.put("travel.txt", "")
    with pytest.raises(HeldBack, match=r"1 document that people find now .* would be lost: .* --version 2"):
        world.night()
    assert world.served() == before
    waiting = read_versions(world.state)[0]
    assert (waiting.state, waiting.counts["lost"]) == (State.WAITING, 1)


def test_a_document_that_fails_under_the_same_model_is_not_lost(world: World) -> None:
    world.night()
    world.put("travel.txt", "")
    world.night()
    assert read_versions(world.state)[0].counts["lost"] == 0


def test_a_changed_sidecar_alone_reads_no_document_and_embeds_nothing(world: World) -> None:
    world.corpus = handbook(metadata={"fields": {"team": "text"}, "sidecar": True})
    world.night()
    world.put("travel.txt.metadata.json", '{"team": "hr"}')
    world.source.fetched.clear()
    world.embedder.embedded.clear()
    assert world.night()["documents"]["changed"] == 1
    assert {properties["team"] for properties, _ in world.served().values()} == {"hr", None}
    assert (world.source.fetched, world.embedder.embedded) == ([], [])


def test_changed_metadata_rules_alone_describe_every_document_anew_once(world: World) -> None:
    world.night()
    world.corpus = handbook(metadata={"fields": {"team": "text"}, "fixed": {"team": "hr"}})
    world.source.fetched.clear()
    assert world.night()["state"] == "live"
    assert {properties["team"] for properties, _ in world.served().values()} == {"hr"}
    assert world.source.fetched == []
    assert world.night()["state"] == "unchanged"


def test_a_new_bad_file_makes_a_version_that_shares_the_collection(world: World) -> None:
    world.night()
    world.put("second.txt", "%BAD too")
    report = world.night()
    assert (report["state"], report["chunks"]["written"]) == ("live", 0)
    world.consistent()


def test_a_lost_collection_is_rebuilt_without_embedding(world: World) -> None:
    world.night()
    before = world.served()
    world.index.lose("Handbook")
    report = world.night()
    assert (report["state"], report["chunks"]["embedded"]) == ("unchanged", 0)
    assert world.served() == before


def test_lost_vectors_are_made_again_before_they_are_needed(world: World) -> None:
    world.night()
    world.state.delete([k for k in world.state.objects if k.startswith("vectors/")])
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    report = world.night()
    assert report["state"] == "live"
    assert any("Trains" in text for text in world.texts())
    world.consistent()


def test_lost_vectors_of_a_document_that_fails_by_now_are_made_again_of_what_it_had(world: World) -> None:
    world.night()
    world.put("travel.txt", "%BAD")
    world.night()
    world.state.delete([k for k in world.state.objects if k.startswith("vectors/")])
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    report = world.night()
    assert (report["state"], report["documents"]["quarantined"]) == ("live", 0)
    assert any("Trains" in text for text in world.texts())
    world.consistent()


def test_a_foreign_alias_is_never_moved(world: World) -> None:
    world.index.create(CollectionName("Somebody"), SCHEMA)
    world.index.point("Handbook", CollectionName("Somebody"))
    with pytest.raises(Misconfigured, match="no version of corpus handbook"):
        world.night()
    assert world.index.alias("Handbook") == "Somebody"


def test_a_lost_live_record_is_an_error_and_not_a_first_night(world: World) -> None:
    world.night()
    world.state.delete(["live.json"])
    with pytest.raises(Misconfigured, match=r"live\.json is missing"):
        world.night()


def test_an_empty_listing_withholds_all_deletions(world: World) -> None:
    world.night()
    for key in ("leave", "travel", "broken"):
        world.source.remove(f"h/{key}.txt")
    report = world.night()
    assert "withheld" in report["reason"]
    assert any("Trains" in text for text in world.texts())


def test_a_prefix_limits_the_night_and_deletes_nothing_outside(world: World) -> None:
    world.night()
    world.put("a/new.txt", "# New\n\nInside the prefix.")
    world.put("b/new.txt", "# New\n\nOutside of it.")
    world.source.remove("h/travel.txt")
    report = world.night(prefix="a/")
    assert (report["documents"]["added"], report["documents"]["deleted"]) == (1, 0)
    assert any("Trains" in text for text in world.texts())
    assert not any("Outside" in text for text in world.texts())


def test_a_run_asked_not_to_promote_waits_and_shows_nothing(world: World) -> None:
    world.night()
    before = world.served()
    world.put("new.txt", "# Benefits\n\nA bicycle for everyone.")
    with pytest.raises(HeldBack, match="asked not to promote"):
        world.night(promote=False)
    assert world.served() == before
    assert read_versions(world.state)[0].state is State.WAITING


def test_a_document_that_a_suite_objects_to_is_quarantined_alone(world: World) -> None:
    world.suites.objects_to = lambda suite, row: (
        Violation(row["document_id"], "readable", "0.4", code=Code.MOJIBAKE, reason="it does not read as text")
        if suite == "documents" and row["text_length"] < 40
        else None
    )
    report = world.night()
    assert report["documents"]["quarantined"] == 2
    assert any("thirty days" in text for text in world.texts())


def test_old_collections_are_kept_by_number(world: World) -> None:
    for night in range(5):
        world.put("new.txt", f"# Night\n\nThis is night number {night}.")
        world.night()
    assert len(world.index.collections()) == world.corpus.index.keep_collections


def _before_the_storm(folder: Path, strategy: str) -> World:
    world = World(folder, handbook(index={"strategy": strategy}))
    world.put("leave.txt", "# Leave\n\n" + "Everyone has thirty days of leave a year. " * 20)
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    world.put("leave.txt", "# Leave\n\n" + "Everyone has forty days of leave a year. " * 20)
    world.put("broken.txt", "%BAD")
    world.source.remove("h/travel.txt")
    return world


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_a_night_killed_at_any_moment_is_finished_by_the_next(
    tmp_path: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inplace, "WINDOW", 1)
    start = _before_the_storm(tmp_path, strategy)
    before = start.served()
    calm = start.twin()
    calm.night()
    expected = calm.served()
    moment = killed = 0
    while True:
        world = start.twin()
        try:
            world.night(kill_at=moment)
        except Killed:
            killed += 1
        else:
            break
        if strategy == "blue_green":
            assert world.served() in (before, expected), f"half visible after a death at step {moment}"
        assert _documents(before) & _documents(expected) <= _documents(world.served()), f"missing at step {moment}"
        world.night()
        assert world.served() == expected, f"another index after a death at step {moment}"
        world.consistent()
        moment += 1
    assert killed > 30


def _documents(served: Mapping[str, tuple[Mapping[str, Any], bytes]]) -> set[Any]:
    return {properties["document_id"] for properties, _ in served.values()}


@pytest.mark.parametrize("asked", [{"recompute": "embed"}, {"recompute": "chunk"}])
def test_making_all_again_with_equal_results_changes_nothing(world: World, asked: dict[str, Any]) -> None:
    world.night()
    before = world.served()
    assert world.night(**asked)["state"] == "unchanged"
    assert world.served() == before


def test_vectors_that_come_out_otherwise_get_a_collection_of_their_own(world: World) -> None:
    world.night()
    world.embedder = OtherEmbedder()
    report = world.night(recompute="embed")
    assert (report["state"], report["chunks"]["written"]) == ("live", len(world.served()))
    world.consistent()


class OtherEmbedder(MemoryEmbedder):
    """The same recipe, yet other bits: as another processor would compute."""

    def embed(self, texts: Sequence[str]) -> Vector:
        vectors = np.nextafter(super().embed(texts), np.float32(2))
        return vectors.astype(np.float32)


def test_equal_texts_of_different_groups_are_embedded_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_GROUP_CHUNKS", 1)
    for number in range(4):
        world.put(f"same{number}.txt", "Always the same words." + "\n" * number)
    world.night()
    assert world.embedder.embedded.count("Always the same words.") == 1
