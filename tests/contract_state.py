"""What `ports.StateStore` promises, run against every implementation: subclass it and give it a `state` fixture.

Fixtures may share one store among tests: each test keeps below a `folder` of its own.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from nightjar.ports import StateStore, Stored


def _listed(state: StateStore, prefix: str) -> list[dict[str, Any]]:
    return [row for page in state.listing(prefix) for row in page.to_pylist()]


class StateContract:
    @pytest.fixture
    def folder(self) -> str:
        return uuid4().hex

    @pytest.fixture
    def key(self, folder: str) -> str:
        return f"{folder}/live.json"

    def test_an_absent_object_reads_as_none(self, state: StateStore, key: str) -> None:
        assert state.read(key) is None
        assert not state.exists(key)

    def test_what_was_written_is_read(self, state: StateStore, key: str) -> None:
        state.write(key, b"one")
        state.write(key, b"\x00two")
        stored = state.read(key)
        assert stored is not None
        assert stored.data == b"\x00two"
        assert state.exists(key)

    def test_an_empty_object_is_an_object(self, state: StateStore, key: str) -> None:
        state.write(key, b"")
        stored = state.read(key)
        assert stored is not None
        assert stored.data == b""

    def test_create_never_replaces(self, state: StateStore, key: str) -> None:
        assert state.create(key, b"first")
        assert not state.create(key, b"second")
        stored = state.read(key)
        assert stored is not None
        assert stored.data == b"first"

    def test_creating_the_very_same_content_again_is_refused_too(self, state: StateStore, key: str) -> None:
        data = b"same"
        assert state.create(key, data) is not None
        assert state.create(key, data) is None

    def test_a_conditional_write_tells_the_etag_that_a_reading_finds(self, state: StateStore, key: str) -> None:
        created = state.create(key, b"one")
        assert created is not None
        assert state.read(key) == Stored(b"one", created)
        replaced = state.replace(key, b"two", etag=created)
        assert replaced is not None
        assert state.read(key) == Stored(b"two", replaced)

    def test_replace_moves_on_from_what_was_read(self, state: StateStore, key: str) -> None:
        state.write(key, b"one")
        stored = state.read(key)
        assert stored is not None
        assert state.replace(key, b"two", etag=stored.etag)
        now = state.read(key)
        assert now is not None
        assert now.data == b"two"

    def test_replace_from_an_old_reading_is_refused(self, state: StateStore, key: str) -> None:
        state.write(key, b"one")
        stored = state.read(key)
        assert stored is not None
        state.write(key, b"two")
        assert not state.replace(key, b"three", etag=stored.etag)
        now = state.read(key)
        assert now is not None
        assert now.data == b"two"

    def test_replacing_what_is_gone_is_refused(self, state: StateStore, key: str) -> None:
        state.write(key, b"one")
        stored = state.read(key)
        assert stored is not None
        state.delete([key])
        assert not state.replace(key, b"two", etag=stored.etag)
        assert state.read(key) is None

    def test_of_many_creators_one_wins(self, state: StateStore, key: str) -> None:
        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(lambda number: state.create(key, b"%d" % number), range(8)))
        assert len([etag for etag in won if etag is not None]) == 1

    def test_keys_come_in_order_and_only_from_below_the_prefix(self, state: StateStore, folder: str) -> None:
        names = ["b", "a/2", "a/10", "a-1", "a.json", "a/x/y"]
        for name in names:
            state.write(f"{folder}/{name}", b"x")
        assert list(state.keys(f"{folder}/")) == sorted(f"{folder}/{name}" for name in names)
        assert list(state.keys(f"{folder}/a/")) == sorted(f"{folder}/{name}" for name in names if name.startswith("a/"))

    def test_a_listing_gives_relative_keys_and_sizes(self, state: StateStore, folder: str) -> None:
        state.write(f"{folder}/b", b"four")
        state.write(f"{folder}/a/1", b"")
        state.write(f"{folder}-beside", b"x")
        rows = _listed(state, f"{folder}/")
        assert [(row["key"], row["size"]) for row in rows] == [(f"{folder}/a/1", 0), (f"{folder}/b", 4)]

    def test_a_listing_of_nothing_is_an_empty_page(self, state: StateStore, folder: str) -> None:
        pages = list(state.listing(f"{folder}/"))
        assert [page.num_rows for page in pages] == [0]
        assert pages[0].schema.names == ["key", "size", "modified_us"]

    def test_a_listing_tells_by_one_clock_what_was_written_last(self, state: StateStore, folder: str) -> None:
        state.write(f"{folder}/a", b"x")
        state.write(f"{folder}/b", b"x")
        time.sleep(1.1)  # some stores tell whole seconds
        state.write(f"{folder}/a", b"again")
        again, once = _listed(state, f"{folder}/")
        assert 1_000_000 <= again["modified_us"] - once["modified_us"] < 60_000_000

    def test_deleted_keys_are_gone_and_absent_ones_are_no_error(self, state: StateStore, folder: str) -> None:
        keys = [f"{folder}/{number}" for number in range(3)]
        for key in keys:
            state.write(key, b"x")
        state.delete([*keys[:2], f"{folder}/never-there"])
        assert list(state.keys(folder)) == keys[2:]

    def test_deleting_nothing_is_no_error(self, state: StateStore, folder: str) -> None:
        state.delete([])
        assert list(state.keys(folder)) == []

    def test_the_probe_finds_conditions_honoured_and_leaves_nothing(self, state: StateStore) -> None:
        before = list(state.keys(""))
        state.probe()
        assert list(state.keys("")) == before
