"""The corpus file's metadata rules name groups anew: an older manifest, and what it remembers, gives nothing back."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pyarrow.compute as pc
import pytest
from world import World, handbook, roll_back

from nightjar.artifacts import ACCESS, VECTORS_PREFIX, from_parquet, to_parquet
from nightjar.errors import HeldBack
from nightjar.flows.rollback import hold
from nightjar.model import document_id_of

pytestmark = pytest.mark.slow

STRATEGIES = ["blue_green", "in_place"]


def say(world: World, name: str, *, team: str, acl: list[str] | None = None) -> None:
    """A sidecar; None: it leaves its groups to the corpus file."""
    told = {"team": team} | ({} if acl is None else {"acl": acl})
    world.source.put(f"h/{name}.metadata.json", json.dumps(told).encode())


def groups(world: World, name: str = "b/pay.txt") -> set[object]:
    return {each["acl"] for each, _ in world.served().values() if str(each["source_uri"]).endswith(name)}


def night(world: World, **options: str) -> None:
    """A night whose version may have to wait."""
    with suppress(HeldBack):
        world.night(**options)


def one_more_field(world: World) -> None:
    world.configure(metadata={"fields": {"team": "text", "year": "int"}})


@pytest.fixture(params=STRATEGIES)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> World:
    """Version 1; one document's groups are the corpus file's default, the others name their own."""
    metadata = {"fields": {"team": "text"}, "acl": ["staff"]}
    world = World(tmp_path, handbook(metadata=metadata, index={"strategy": request.param}))
    for number in range(8):
        world.put(f"a/{number}.txt", f"The rules of room {number}, {number * number} in all.")
    world.put("b/pay.txt", "What everyone here earns.")
    say(world, "b/pay.txt", team="x", acl=["everyone"])
    world.put("b/plain.txt", "Where the bicycles stand.")
    world.night()
    return world


@pytest.fixture
def narrowed(world: World) -> World:
    """Under hold, so that no version remembers the sidecar that closed it."""
    hold(world.services(), reason="freeze")
    say(world, "b/pay.txt", team="hr", acl=["hr"])
    night(world)
    return world


def of_an_earlier_release(world: World) -> None:
    """The table as it was written before it told who names the groups."""
    table = from_parquet(world.state.objects[ACCESS], key=ACCESS)
    world.state.objects[ACCESS] = to_parquet(table.drop_columns(["named"]))


def test_a_limited_night_by_other_rules_leaves_closed_what_lies_outside(narrowed: World) -> None:
    one_more_field(narrowed)
    night(narrowed, prefix="a/")
    assert groups(narrowed) == {("hr",)}


def test_a_document_that_a_rollback_brought_back_stays_closed_by_other_rules(world: World) -> None:
    say(world, "b/pay.txt", team="hr", acl=["hr"])
    world.night()
    world.remove("b/pay.txt", "b/pay.txt.metadata.json")
    world.night()
    roll_back(world, to=1)
    one_more_field(world)
    night(world)
    assert groups(world) == {("hr",)}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_withheld_documents_that_another_model_embeds_stay_closed(tmp_path: Path, strategy: str) -> None:
    world = World(tmp_path, handbook(metadata={"fields": {"team": "text"}}, index={"strategy": strategy}))
    names = [f"b/{number}.txt" for number in range(12)]
    for name in names:
        world.put(name, f"What {name} earns.")
        say(world, name, team="x", acl=["everyone"])
    world.night()
    for name in names:
        say(world, name, team="hr", acl=["hr"])
    world.night()
    roll_back(world, to=1)
    world.remove(*names, *(f"{name}.metadata.json" for name in names))
    world.put("a.txt", "Something else.")
    world.model = "other"
    night(world)
    assert groups(world, ".txt") == {("hr",)}


def test_a_document_whose_vectors_are_lost_stays_closed_outside_of_a_limited_night(world: World) -> None:
    hold(world.services(), reason="freeze")
    say(world, "b/plain.txt", team="hr", acl=["hr"])
    night(world)
    for key in [key for key in world.state.objects if key.startswith(VECTORS_PREFIX)]:
        del world.state.objects[key]
    world.put("a/new.txt", "A room without a number.")
    night(world, prefix="a/")
    assert groups(world, "b/plain.txt") == {("hr",)}


@pytest.mark.parametrize("default", [["managers"], ["managers", "staff"]], ids=["others", "more"])
def test_another_default_holds_for_a_document_that_no_longer_names_its_own(world: World, default: list[str]) -> None:
    hold(world.services(), reason="freeze")
    say(world, "b/pay.txt", team="x")
    night(world)
    assert groups(world) == {("staff",)}
    world.configure(metadata={"acl": default})
    night(world, prefix="a/")
    assert groups(world) == groups(world, "b/plain.txt") == {tuple(default)}


def test_rules_give_nothing_outside_of_a_limited_night_where_the_table_is_an_earlier_releases(narrowed: World) -> None:
    of_an_earlier_release(narrowed)
    narrowed.configure(metadata={"acl": ["everyone", "staff"]})
    night(narrowed, prefix="a/")
    assert groups(narrowed) <= {("hr",), ()}
    assert groups(narrowed, "b/plain.txt") == {("staff",)}


def test_rules_take_away_there_all_the_same(narrowed: World) -> None:
    of_an_earlier_release(narrowed)
    narrowed.configure(metadata={"acl": ["managers"]})
    night(narrowed, prefix="a/")
    assert groups(narrowed, "b/plain.txt") == {()}


def test_after_a_whole_night_a_wider_default_holds_with_the_table_of_an_earlier_release(world: World) -> None:
    of_an_earlier_release(world)
    world.night()
    world.configure(metadata={"acl": ["everyone", "staff"]})
    world.night()
    assert groups(world, "b/plain.txt") == {("everyone", "staff")}
    assert groups(world) == {("everyone",)}


def test_a_whole_night_tells_nothing_of_an_earlier_releases_documents_that_are_gone(world: World) -> None:
    say(world, "b/pay.txt", team="hr", acl=["hr"])
    world.night()
    roll_back(world, to=1)
    world.remove("b/pay.txt", "b/pay.txt.metadata.json")
    of_an_earlier_release(world)
    one_more_field(world)
    night(world)
    assert groups(world) <= {("hr",), ()}


def test_another_default_holds_for_a_document_that_the_table_lacks(world: World) -> None:
    table = from_parquet(world.state.objects[ACCESS], key=ACCESS)
    plain = document_id_of("s3://documents/h/b/plain.txt")
    world.state.objects[ACCESS] = to_parquet(table.filter(pc.not_equal(table["document_id"], plain)))
    world.configure(metadata={"acl": ["managers"]})
    world.night()
    assert groups(world, "b/plain.txt") == {("managers",)}


def test_another_default_reaches_documents_that_only_earlier_versions_have(world: World) -> None:
    world.remove("b/plain.txt")
    world.night()
    world.configure(metadata={"acl": ["board"]})
    world.night()
    roll_back(world, to=1)
    assert groups(world, "b/plain.txt") == {("board",)}
    assert groups(world) == {("everyone",)}
