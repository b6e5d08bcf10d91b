"""What a night asks of the state: without changes as much for any corpus, and of each manifest bucket once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from counting_state import CountingState
from world import World, handbook

from nightjar.artifacts import BUCKETS, MANIFESTS_PREFIX, VECTORS_PREFIX
from nightjar.flows.night import run_night
from nightjar.flows.runs import Options
from nightjar.flows.verify import verify_checkout
from nightjar.flows.versions import read_version
from nightjar.lease import KEY as LEASE
from nightjar.model import CollectionName
from nightjar.owner import Owner

pytestmark = pytest.mark.slow

READS = frozenset({"read", "exists", "keys"})
BESIDES = 80
"""Registers, the run's own record and tables: as many for any corpus."""


def asked_on_a_second_night(
    folder: Path, *, strategy: str, documents: int, changed: int = 0
) -> Counter[tuple[str, str]]:
    """Of a corpus of so many documents, each with a sidecar, the first of which were changed after a first night."""
    world = World(folder, handbook(index={"strategy": strategy}, metadata={"fields": {"team": "text"}}))
    for number in range(documents):
        world.put(f"{number:03}.txt", f"# Room {number}\n\nThe key of room {number} hangs behind the door.")
        world.put(f"{number:03}.txt.metadata.json", '{"team": "hr", "acl": ["everyone"]}')
    world.night()
    for number in range(changed):
        world.put(f"{number:03}.txt", f"# Room {number}\n\nThe lock of room {number} was changed.")
    counting = CountingState(world.state)
    world.nights += 1
    report = run_night(
        world.services(state=counting),  # type: ignore[arg-type]  # it hands on what it does not count
        run_id="second",
        owner=Owner.dag("reindex_handbook"),
        options=Options(),
    )
    assert (report["state"], report["documents"]["unchanged"]) == (
        "live" if changed else "unchanged",
        documents - changed,
    )
    return Counter({asked: count for asked, count in counting.asked.items() if asked[0] in READS})


def asked_of_buckets(asked: Counter[tuple[str, str]]) -> Counter[str]:
    return Counter({key: count for (_, key), count in asked.items() if key.startswith(MANIFESTS_PREFIX)})


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_a_quiet_night_reads_each_manifest_bucket_once_and_as_much_besides_for_any_corpus(
    tmp_path: Path, strategy: str
) -> None:
    besides = set()
    for documents in (10, 300):
        asked = asked_on_a_second_night(tmp_path / str(documents), strategy=strategy, documents=documents)
        buckets = asked_of_buckets(asked)
        assert len(buckets) <= BUCKETS
        assert set(buckets.values()) == {1}
        looks = sum(count for (_, key), count in asked.items() if key == LEASE)  # about one a second
        besides.add(asked.total() - buckets.total() - looks)
    [same] = besides
    assert same <= BESIDES


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_a_night_with_changes_reads_each_bucket_of_both_manifests_once(tmp_path: Path, strategy: str) -> None:
    buckets = asked_of_buckets(asked_on_a_second_night(tmp_path, strategy=strategy, documents=100, changed=3))
    assert BUCKETS < len(buckets) <= 2 * BUCKETS
    assert set(buckets.values()) == {1}


def test_a_proof_reads_no_more_contents_than_it_compares(tmp_path: Path) -> None:
    """Of two documents of some ninety chunks each the first has all the objects that a sample of two asks for."""
    world = World(tmp_path, handbook(chunk={"max_tokens": 32}))
    signed = "whoever takes it signs the list beside it before noon, and brings it back by six"
    for house in "abcd":
        rooms = (f"## Room {number}\n\nThe key of room {house}{number} hangs there; {signed}." for number in range(90))
        world.put(f"{house}.md", "\n\n".join(rooms))
    world.night()
    counting = CountingState(world.state)
    services = world.services(state=counting)  # type: ignore[arg-type]  # it hands on what it does not count
    version = read_version(world.state, 1)
    verify_checkout(services, CollectionName(str(version.collection)), version, written=(), documents=2)
    contents = {key: count for (_, key), count in counting.asked.items() if key.startswith(VECTORS_PREFIX)}
    assert list(contents.values()) == [1]
