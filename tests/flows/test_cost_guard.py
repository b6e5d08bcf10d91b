"""Settings are meant, libraries are not; and what would cost too much waits before anything is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from world import World

from nightjar.adapters.memory.parser import MemoryParser
from nightjar.errors import HeldBack
from nightjar.flows.costs import estimate
from nightjar.flows.manifests import load_manifest
from nightjar.flows.night import report_of
from nightjar.flows.versions import read_live, read_version, save_version
from nightjar.lease import standing

pytestmark = pytest.mark.slow

LONG = "# {name}\n\n" + "Every rule of this house is kept by all who live in it. " * 8


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    for number in range(10):
        world.put(f"{number}.txt", LONG.format(name=f"Document {number}"))
    world.night()
    forget(world)
    return world


def forget(world: World) -> None:
    world.parser.parsed.clear()
    world.embedder.embedded.clear()
    world.source.fetched.clear()


def upgrade_parser(world: World) -> None:
    world.parser = MemoryParser(version="2")


def rows(world: World) -> list[dict[str, Any]]:
    live = read_live(world.state)
    assert live is not None
    found: list[dict[str, Any]] = load_manifest(
        world.state, read_version(world.state, live.version).manifest
    ).to_pylist()
    return sorted(found, key=lambda row: str(row["key"]))


def parsers(world: World) -> Counter[str]:
    return Counter(row["parse_recipe"] for row in rows(world))


def test_a_new_parser_re_makes_nothing_by_itself(world: World) -> None:
    upgrade_parser(world)
    assert world.night()["state"] == "unchanged"
    assert world.source.fetched == []


def test_a_night_says_what_an_upgrade_left_and_how_to_make_it_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade_parser(world)
    report = world.night()
    assert report["stale"] == 10
    assert "10 documents were made by an older parser or chunker and keep that" in report["upgrade"]
    assert "`nightjar run handbook --approve-cost`" in report["upgrade"]
    assert report["upgrade"] in caplog.messages


def test_a_night_after_which_nothing_is_stale_says_nothing_of_it(world: World) -> None:
    upgrade_parser(world)
    report = world.night(approve_cost=True)
    assert (report["stale"], report["upgrade"]) == (0, None)


@pytest.mark.parametrize("rate", [-299.0, 0.0, None])
def test_a_rate_that_cannot_be_one_is_no_estimate(world: World, rate: float | None) -> None:
    live = read_live(world.state)
    assert live is not None
    version = read_version(world.state, live.version)
    save_version(world.state, replace(version, cost={**version.cost, "bytes_a_token": rate, "seconds_a_token": rate}))
    tokens, seconds = estimate(
        world.services(),
        live,
        pa.table({"stage": ["parse"], "size": [1_000_000], "why": ["added"], "base_tokens": pa.nulls(1, pa.int64())}),
    )
    assert (tokens, seconds) == (200_000, 12)


def test_a_changed_document_takes_the_new_parser_and_the_others_keep_theirs(world: World) -> None:
    upgrade_parser(world)
    world.put("3.txt", LONG.format(name="Another"))
    assert world.night()["state"] == "live"
    assert world.parser.parsed == ["h/3.txt"]
    assert sorted(parsers(world).values()) == [1, 9]
    world.consistent()


@pytest.mark.parametrize("asked", [{"approve_cost": True}, {"full_refresh": True}])
def test_an_approval_makes_the_stale_ones_again(world: World, asked: dict[str, Any]) -> None:
    upgrade_parser(world)
    world.night(**asked)
    assert len(world.parser.parsed) == 10
    assert list(parsers(world).values()) == [10]


def test_an_approved_upgrade_embeds_only_texts_that_came_out_otherwise(world: World) -> None:
    upgrade_parser(world)
    report = world.night(approve_cost=True)
    assert (report["state"], world.embedder.embedded) == ("live", [])


def test_a_small_share_of_stale_documents_needs_no_approval(world: World) -> None:
    upgrade_parser(world)
    for number in range(9):
        world.put(f"{number}.txt", LONG.format(name=f"Changed {number}"))
    world.night()
    forget(world)
    world.night()
    assert world.parser.parsed == ["h/9.txt"]


def test_a_new_chunker_re_makes_nothing_by_itself(world: World) -> None:
    world.chunker = "2"
    assert world.night()["state"] == "unchanged"


def test_a_chunk_size_is_meant_and_parses_nothing(world: World) -> None:
    world.configure(chunk={"max_tokens": 64})
    report = world.night()
    assert (report["state"], world.parser.parsed, world.source.fetched) == ("live", [], [])
    assert len({row["chunk_recipe"] for row in rows(world)}) == 1


def test_another_strategy_is_meant(world: World) -> None:
    world.configure(parse={"strategy": "fast"})
    world.night()
    assert len(world.parser.parsed) == 10


def test_a_chunk_size_after_an_upgrade_cuts_what_the_older_parser_read(world: World) -> None:
    upgrade_parser(world)
    before = parsers(world)
    world.configure(chunk={"max_tokens": 64})
    world.night()
    assert (world.parser.parsed, parsers(world)) == ([], before)
    world.consistent()


def test_results_of_two_parsers_never_share_stored_vectors(world: World) -> None:
    world.put("twin.txt", LONG.format(name="Document 0"))
    upgrade_parser(world)
    world.configure(chunk={"max_tokens": 64})
    world.night()
    recipes = {(row["parse_recipe"], row["embed_recipe"]) for row in rows(world)}
    assert len({parse for parse, _ in recipes}) == len(recipes) == 2
    twins = [row for row in rows(world) if row["key"] in ("h/0.txt", "h/twin.txt")]
    assert len({row["parse_recipe"] for row in twins}) == 1
    world.consistent()


def test_another_model_after_an_upgrade_embeds_all_and_parses_nothing(world: World) -> None:
    upgrade_parser(world)
    world.configure(embed={"switch": "automatic"})
    world.model = "other"
    report = world.night()
    assert world.parser.parsed == []
    assert len({row["space"] for row in rows(world)}) == 1
    assert report["chunks"]["embedded"] == len(world.served())


def test_a_going_back_to_the_older_parser_finds_all_there(world: World) -> None:
    before = rows(world)
    upgrade_parser(world)
    world.night(approve_cost=True)
    world.parser = MemoryParser(version="1")
    forget(world)
    world.night(approve_cost=True)
    assert (world.parser.parsed, world.embedder.embedded) == ([], [])
    assert [row["vectors"] for row in rows(world)] == [row["vectors"] for row in before]


@pytest.mark.parametrize("limits", [{"tokens": 100}, {"minutes": 1}])
def test_a_plan_above_a_limit_is_held_before_anything_is_made(world: World, limits: dict[str, int]) -> None:
    world.configure(limits=limits)
    world.put("big.txt", "word " * 8_000_000)
    with pytest.raises(HeldBack, match=rf"limits\.{next(iter(limits))} allows .*--approve-cost"):
        world.night()
    assert world.source.fetched == []


def hold(world: World) -> None:
    world.configure(limits={"tokens": 100})
    world.put("big.txt", LONG.format(name="Big"))
    with pytest.raises(HeldBack):
        world.night()


def test_a_held_run_reports_itself_and_makes_no_version(world: World) -> None:
    hold(world)
    report = report_of(world.services(), f"night-{world.nights}")
    assert report is not None
    assert (report["state"], report["version"]) == ("held", None)
    assert "tokens to embed, limits.tokens allows 100" in report["reason"]


def test_a_held_run_frees_the_corpus(world: World) -> None:
    hold(world)
    assert standing(world.state) is None


def test_an_approved_cost_goes_on(world: World) -> None:
    hold(world)
    assert world.night(approve_cost=True)["documents"]["added"] == 1


def test_a_full_refresh_above_the_limits_is_held_too(world: World) -> None:
    world.configure(limits={"tokens": 100})
    with pytest.raises(HeldBack):
        world.night(full_refresh=True)
