"""One version holds one model's vectors: what stays is embedded anew, and a limited run waits for a whole one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from world import World, handbook

from nightjar.artifacts import ELEMENTS_PREFIX
from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows import joining
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.runs import find_run
from nightjar.flows.versions import read_live, read_version, read_versions, version_numbers
from nightjar.stages.states import State

pytestmark = pytest.mark.slow

NAMES = tuple(f"{folder}/{number:02}.txt" for folder in "ab" for number in range(10))
BOTH = pytest.mark.parametrize("switch", ["automatic", "approve"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Twenty documents are live, half of them below `a/`; the corpus file names another model since."""
    world = World(tmp_path, handbook(embed={"switch": "automatic"}, metadata={"from_path": "{team}/*.txt"} | FIELDS))
    for name in NAMES:
        world.put(name, f"# Document {name}\n\nThis is what {name} has to say.")
    world.put("a/bad.txt", "%BAD")
    world.night()
    world.model = "other"
    world.source.fetched.clear()
    world.parser.parsed.clear()
    return world


FIELDS: dict[str, Any] = {"fields": {"team": "text"}}


def manifest(world: World, version: int) -> pa.Table:
    return load_manifest(world.state, read_version(world.state, version).manifest)


def spaces(world: World) -> list[str]:
    """Of what is live."""
    live = read_live(world.state)
    assert live is not None
    found: list[str] = pc.unique(indexed(manifest(world, live.version))["space"]).to_pylist()
    return found


LIMITS = [{"prefix": "a/"}, {"where": ("team", "a")}, {"failed": True}, {"documents": ("s3://documents/h/a/00.txt",)}]


@BOTH
@pytest.mark.parametrize("limit", LIMITS, ids=["prefix", "where", "failed", "documents"])
def test_a_limited_run_under_another_model_says_to_run_the_whole_corpus_first(
    world: World, limit: dict[str, Any], switch: str
) -> None:
    world.configure(embed={"switch": switch})
    before = world.served()
    with pytest.raises(Misconfigured, match=r"another model .* run the whole corpus first \(`nightjar run handbook`\)"):
        world.night(**limit)
    assert (version_numbers(world.state), world.served()) == ([1], before)


def test_after_the_whole_corpus_a_limited_run_goes_on(world: World) -> None:
    world.night()
    world.put("a/new.txt", "# New\n\nOne more of them.")
    assert world.night(prefix="a/")["state"] == "live"
    assert len(spaces(world)) == 1


def test_a_limited_run_that_reaches_every_document_needs_no_other(world: World) -> None:
    uris = tuple(f"s3://documents/h/{name}" for name in (*NAMES, "a/bad.txt"))
    assert world.night(documents=uris)["state"] == "live"
    assert len(spaces(world)) == 1


@pytest.fixture
def missing(world: World) -> World:
    """More documents are gone from the bucket than the deletion guard lets go."""
    world.remove(*NAMES[:11])
    return world


def test_withheld_documents_take_the_new_model_too(missing: World) -> None:
    found = set(missing.texts())
    report = missing.night()
    assert (report["state"], report["withheld"]["count"]) == ("live", 11)
    assert len(spaces(missing)) == 1
    assert (missing.texts(), report["chunks"]["embedded"]) == (found, len(found))
    missing.consistent()


def test_nothing_of_them_is_fetched_or_parsed(missing: World) -> None:
    missing.night()
    assert (missing.source.fetched, missing.parser.parsed) == ([], [])


def test_they_are_not_told_as_unchanged(missing: World) -> None:
    assert missing.night()["documents"]["unchanged"] == 10


def test_those_whose_elements_are_gone_too_are_lost_and_the_version_waits(missing: World) -> None:
    (row,) = [each for each in manifest(missing, 1).to_pylist() if each["key"] == f"h/{NAMES[0]}"]
    missing.state.delete([key for key in missing.state.keys(ELEMENTS_PREFIX) if row["content_key"] in key])
    before = missing.served()
    with pytest.raises(HeldBack, match="1 document that people find now failed under the new embedding"):
        missing.night()
    assert missing.served() == before
    assert (read_versions(missing.state)[0].state, read_versions(missing.state)[0].counts["lost"]) == (State.WAITING, 1)


def test_a_document_that_a_listing_left_out_takes_the_new_model_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.remove(NAMES[0])
    monkeypatch.setattr(type(world.source), "exists", lambda _source, _key: True)
    world.night()
    assert len(spaces(world)) == 1


def test_a_candidate_of_two_models_is_refused_whatever_the_plan_was(world: World) -> None:
    services = world.services()
    world.night()
    run = find_run(services, "night-2")
    assert run is not None
    old = manifest(world, 1)
    with pytest.raises(Misconfigured, match="20 documents of the candidate were embedded by another model"):
        joining.build_target(services, run, old, old.slice(0, 0), gone=old.slice(0, 0))
