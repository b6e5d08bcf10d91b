"""The state as a run sees it: what it keeps in memory is what the store holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from nightjar.adapters.memory.state import MemoryState
from nightjar.flows import fence
from nightjar.flows.fence import FencedState
from nightjar.flows.parallel import in_order
from nightjar.lease import Lease
from nightjar.owner import Owner
from nightjar.ports import Stored

KEY = "manifests/aa.parquet"


@pytest.fixture
def store() -> MemoryState:
    store = MemoryState()
    store.write(KEY, b"rows")
    return store


@pytest.fixture
def fenced(store: MemoryState) -> Iterator[FencedState]:
    lease = Lease.acquire(store, run_id="run", owner=Owner.command(), ttl_s=60.0)
    yield FencedState(store, lease)
    lease.release()


def data(stored: Stored | None) -> bytes | None:
    return stored.data if stored else None


def test_a_bucket_is_read_from_the_store_once(store: MemoryState, fenced: FencedState) -> None:
    assert data(fenced.read(KEY)) == b"rows"
    store.delete([KEY])
    assert data(fenced.read(KEY)) == b"rows"


def test_what_may_change_is_read_each_time(store: MemoryState, fenced: FencedState) -> None:
    store.write("live.json", b"1")
    assert data(fenced.read("live.json")) == b"1"
    store.write("live.json", b"2")
    assert data(fenced.read("live.json")) == b"2"


def test_a_bucket_that_was_damaged_is_read_again_once_it_was_made_anew(fenced: FencedState) -> None:
    fenced.read(KEY)
    fenced.write(KEY, b"right")
    assert data(fenced.read(KEY)) == b"right"


def test_a_bucket_that_was_deleted_is_gone(fenced: FencedState) -> None:
    fenced.read(KEY)
    fenced.delete([KEY])
    assert fenced.read(KEY) is None


def test_no_more_is_kept_than_allowed(store: MemoryState, fenced: FencedState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "_KEPT_BYTES", 5)
    store.write("manifests/bb.parquet", b"more")
    for key in (KEY, "manifests/bb.parquet"):
        fenced.read(key)
    assert list(fenced.buckets) == [KEY]


def test_many_threads_may_read_at_once(store: MemoryState, fenced: FencedState) -> None:
    keys = [f"manifests/{number:04}.parquet" for number in range(1_000)]
    for key in keys:
        store.write(key, key.encode())
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert [data(each) for each in in_order(fenced.read, keys)] == [key.encode() for key in keys]
    finally:
        sys.setswitchinterval(usual)
