"""A version's record: saved by one request from where it was read, and told without what belongs to the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from counting_state import CountingState

from nightjar.adapters.memory.state import MemoryState
from nightjar.artifacts import version_key
from nightjar.errors import Superseded
from nightjar.flows.versions import Version, fields_of, open_version, read_version, save_version
from nightjar.ports import StateStore
from nightjar.stages.states import State

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def opened(state: StateStore) -> Version:
    return open_version(state, Version(0, "first", None, "recipe", NOW.isoformat()))


def test_a_version_is_saved_again_and_again_without_reading() -> None:
    state = MemoryState()
    version = opened(state)
    counting = CountingState(state)
    gated = save_version(counting, version.enter(State.GATED, at=NOW, actor="mia"))
    rejected = save_version(counting, gated.enter(State.REJECTED, at=NOW, actor="mia", reason="red"))
    assert counting.asked == {("replace", version_key(1)): 2}
    assert read_version(state, 1) == rejected
    assert [step["state"] for step in rejected.history] == ["gated", "rejected"]


def test_a_version_that_somebody_else_saved_meanwhile_is_left_alone() -> None:
    state = MemoryState()
    version = opened(state)
    theirs = save_version(state, replace(version, reason="theirs"))
    with pytest.raises(Superseded, match="version 1 was changed by another run"):
        save_version(state, replace(version, reason="ours"))
    assert read_version(state, 1) == theirs


def test_a_version_whose_record_was_swept_is_not_brought_back() -> None:
    state = MemoryState()
    version = opened(state)
    state.delete(list(state.keys("versions/")))
    with pytest.raises(Superseded):
        save_version(state, replace(version, reason="ours"))
    assert list(state.keys("versions/")) == []


def test_what_a_record_says_is_told_without_the_record_itself() -> None:
    told = fields_of(opened(MemoryState()))
    assert told["run_id"] == "first"
    assert told.keys().isdisjoint({"seen", "nonce", "sequence"})
