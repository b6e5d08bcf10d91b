"""Each kind of damage to an index is found, told and mended from stored state; nights leave none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from world import Killed, Killer, World, handbook

from nightjar.artifacts import collection_key
from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows.audit import Findings, audit, repair
from nightjar.flows.checkouts import Writing, move_checkout, read_checkout
from nightjar.flows.versions import read_live, read_version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.owner import Owner

BOTH = pytest.mark.parametrize("strategy", ["blue_green", "in_place"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return filled(tmp_path)


def filled(folder: Path, strategy: str = "auto") -> World:
    world = World(folder, handbook(index={"strategy": strategy}))
    world.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    world.night()
    return world


def collection(world: World) -> CollectionName:
    live = read_live(world.state)
    assert live is not None
    return CollectionName(live.collection)


def first(world: World) -> IndexObject:
    return next(world.index.scan(collection(world), vectors=True))


def mended(world: World) -> Findings:
    world.nights += 1
    return repair(world.services(), run_id=f"audit-{world.nights}", owner=Owner.dag("audit_handbook"))


def loses_an_object(world: World) -> None:
    world.index.delete(collection(world), [first(world).chunk_id])


def gains_an_object(world: World) -> None:
    foreign = replace(first(world), chunk_id=ChunkId(str(uuid4())))
    world.index.write(collection(world), [foreign])


def gets_another_vector(world: World) -> None:
    each = first(world)
    world.index.write(collection(world), [replace(each, vector=np.roll(each.vector, 1))])


def gets_another_title(world: World) -> None:
    each = first(world)
    world.index.write(collection(world), [replace(each, properties={**each.properties, "title": "other"})])


def loses_the_collection(world: World) -> None:
    world.index.lose(world.corpus.alias)


def loses_the_alias(world: World) -> None:
    del world.index._aliases[world.corpus.alias]


def loses_the_record(world: World) -> None:
    world.state.delete([collection_key(collection(world))])


OBJECTS = {
    "missing": loses_an_object,
    "orphan": gains_an_object,
    "wrong_vector": gets_another_vector,
    "wrong_properties": gets_another_title,
}
AROUND = {
    "is gone": loses_the_collection,
    "names nothing": loses_the_alias,
    "does not name version": loses_the_record,
}


@BOTH
def test_nights_leave_nothing_to_find(tmp_path: Path, strategy: str) -> None:
    world = filled(tmp_path, strategy)
    assert audit(world.services()).ok
    world.put("leave.txt", "# Leave\n\nForty days.")
    world.put("new.txt", "# New\n\nA bicycle for everyone.")
    world.remove("travel.txt")
    world.night(approve_deletions=True)
    assert audit(world.services()).ok


@pytest.mark.parametrize("kind", OBJECTS)
def test_damage_to_one_object_is_counted_as_what_it_is(world: World, kind: str) -> None:
    OBJECTS[kind](world)
    told = audit(world.services()).as_json("handbook")
    assert {name: told[name] for name in OBJECTS} == dict.fromkeys(OBJECTS, 0) | {kind: 1}
    assert len(told["examples"][kind]) == 1
    assert not told["ok"]


@pytest.mark.parametrize("sentence", AROUND)
def test_damage_around_the_objects_is_said(world: World, sentence: str) -> None:
    AROUND[sentence](world)
    assert sentence in " ".join(audit(world.services()).problems)


@pytest.mark.parametrize("damage", [*OBJECTS.values(), *AROUND.values()])
def test_repair_brings_back_exactly_what_was_served(world: World, damage: Callable[[World], None]) -> None:
    before = world.served()
    world.embedder.embedded.clear()
    damage(world)
    assert mended(world).ok
    assert world.served() == before
    assert world.embedder.embedded == []
    world.consistent()


def test_the_version_names_the_collection_that_was_rebuilt(world: World) -> None:
    loses_the_collection(world)
    mended(world)
    assert read_version(world.state, 1).collection == collection(world)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [gets_another_vector, loses_the_collection])
def test_a_repair_killed_at_any_moment_is_finished_by_the_next(tmp_path: Path, damage: Callable[[World], None]) -> None:
    start = filled(tmp_path)
    before = start.served()
    damage(start)
    moment, finished = 0, False
    while not finished:
        world = start.twin()
        steps = itertools.count()
        services = world.services(
            state=Killer(world.state, steps, at=moment), index=Killer(world.index, steps, at=moment)
        )
        try:
            repair(services, run_id="dies", owner=Owner.dag("audit_handbook"))
            finished = True
        except Killed:
            assert mended(world).ok, f"after a death at step {moment}"
        assert world.served() == before
        world.consistent()
        moment += 1
    assert moment > 3


def test_an_open_writing_is_no_damage(world: World) -> None:
    entry = read_checkout(world.state, collection(world))
    assert entry is not None
    move_checkout(world.state, entry, replace(entry.value, writing=Writing(1, 2, "night-2")))
    with pytest.raises(HeldBack, match="night-2 is writing version 2"):
        audit(world.services())


def test_a_repair_is_refused_beside_a_run(world: World) -> None:
    Lease.acquire(world.state, run_id="night", owner=Owner.command(), ttl_s=60)
    with pytest.raises(HeldBack):
        mended(world)


def test_stored_vectors_that_are_gone_are_named_with_the_remedy(world: World) -> None:
    key = next(world.state.keys("vectors/"))
    world.state.delete([key])
    with pytest.raises(Misconfigured, match=rf"{key} is gone: run again with --recompute embed"):
        audit(world.services())


def test_no_collection_is_begun_while_stored_vectors_are_gone(world: World) -> None:
    loses_the_collection(world)
    world.state.delete(list(world.state.keys("vectors/")))
    with pytest.raises(Misconfigured, match=r"is gone, and those of 1 more document: run again"):
        mended(world)
    assert world.index.collections() == []


def test_a_truncated_manifest_is_named(world: World) -> None:
    key = read_version(world.state, 1).manifest[0]
    world.state.write(key, b"PAR1")
    with pytest.raises(Misconfigured, match=key):
        audit(world.services())


def test_nothing_live_is_nothing_to_audit(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nothing live to audit"):
        audit(World(tmp_path).services())
