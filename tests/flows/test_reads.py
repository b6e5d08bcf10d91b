"""What a night without changes asks of the state: a number of requests that does not grow with the corpus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from world import World, handbook

from nightjar.adapters.memory.state import MemoryState
from nightjar.artifacts import BUCKETS, MANIFESTS_PREFIX
from nightjar.flows.night import run_night
from nightjar.flows.runs import Options
from nightjar.lease import KEY as LEASE
from nightjar.owner import Owner

BESIDES = 80
"""Registers, the run's own record and tables: as many for any corpus."""


class Counting:
    """A state store that counts what is asked of it, by operation and key."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.asked: Counter[tuple[str, str]] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._state, name)

        def counted(key: str, *rest: Any, **named: Any) -> Any:
            self.asked[name, key] += 1
            return found(key, *rest, **named)

        return counted if name in {"read", "exists", "keys"} else found


def asked_on_a_quiet_night(folder: Path, *, strategy: str, documents: int) -> Counter[tuple[str, str]]:
    """Of a corpus of so many documents, each with a sidecar, after a first night."""
    world = World(folder, handbook(index={"strategy": strategy}, metadata={"fields": {"team": "text"}}))
    for number in range(documents):
        world.put(f"{number:03}.txt", f"# Room {number}\n\nThe key of room {number} hangs behind the door.")
        world.put(f"{number:03}.txt.metadata.json", '{"team": "hr", "acl": ["everyone"]}')
    world.night()
    counting = Counting(world.state)
    world.nights += 1
    report = run_night(
        world.services(state=counting),  # type: ignore[arg-type]  # it hands on what it does not count
        run_id="quiet",
        owner=Owner.dag("reindex_handbook"),
        options=Options(),
    )
    assert (report["state"], report["documents"]["unchanged"]) == ("unchanged", documents)
    return counting.asked


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_a_quiet_night_reads_each_manifest_bucket_once_and_as_much_besides_for_any_corpus(
    tmp_path: Path, strategy: str
) -> None:
    besides = set()
    for documents in (10, 300):
        asked = asked_on_a_quiet_night(tmp_path / str(documents), strategy=strategy, documents=documents)
        buckets = Counter({key: count for (_, key), count in asked.items() if key.startswith(MANIFESTS_PREFIX)})
        assert len(buckets) <= BUCKETS
        assert set(buckets.values()) == {1}
        looks = sum(count for (_, key), count in asked.items() if key == LEASE)  # about one a second
        besides.add(asked.total() - buckets.total() - looks)
    [same] = besides
    assert same <= BESIDES
