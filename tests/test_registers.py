from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from counting_state import CountingState

from nightjar.adapters.memory.state import MemoryState
from nightjar.errors import Misconfigured, Superseded, Transient
from nightjar.ports import StateStore, Stored
from nightjar.registers import Fields, Moved, Register, immutable_put

KEY = "live.json"


@dataclass(frozen=True)
class Live:
    version: int


def register_on(state: StateStore) -> Register[Live]:
    def decode(fields: Fields) -> Live:
        return Live(int(str(fields["version"])))

    return Register(state, KEY, lambda live: {"version": live.version}, decode)


class LosesReplies(MemoryState):
    """Does what it is asked and then says no, as S3 answers a client that repeats its own success."""

    def create(self, key: str, data: bytes) -> None:
        super().create(key, data)

    def replace(self, key: str, data: bytes, *, etag: str) -> None:
        super().replace(key, data, etag=etag)


class FallsSilent(MemoryState):
    """Does what it is asked, and the answer never comes."""

    def create(self, key: str, data: bytes) -> None:
        super().create(key, data)
        raise Transient("read timed out")


class IsUnreachable(MemoryState):
    def create(self, key: str, data: bytes) -> None:
        raise Transient("connection refused")


class Conflicts(MemoryState):
    """Says no to the first conditional writes and does nothing, as S3 does where two requests meet (409)."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def _conflicts(self) -> bool:
        self.times -= 1
        return self.times >= 0

    def create(self, key: str, data: bytes) -> str | None:
        return None if self._conflicts() else super().create(key, data)

    def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
        return None if self._conflicts() else super().replace(key, data, etag=etag)


class StandsBehindAProxy(MemoryState):
    """Readers are told another etag than writers, and only theirs holds as a condition."""

    def read(self, key: str) -> Stored | None:
        stored = super().read(key)
        return stored and Stored(stored.data, f"W/{stored.etag}")

    def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
        return super().replace(key, data, etag=etag.removeprefix("W/")) if etag.startswith("W/") else None


def test_a_record_that_nobody_wrote_is_none() -> None:
    assert register_on(MemoryState()).read() is None


def test_a_swap_tells_the_record_as_it_stands_then() -> None:
    register = register_on(MemoryState())
    first = register.swap(None, Live(1))
    second = register.swap(first, Live(2))
    assert [first.sequence, second.sequence] == [1, 2]
    assert register.read() == second


def test_the_object_is_flat_json_that_people_can_read() -> None:
    state = MemoryState()
    register_on(state).swap(None, Live(7))
    fields = json.loads(state.objects[KEY])
    assert fields.keys() == {"version", "sequence", "nonce"}
    assert fields["version"] == 7


def test_a_yes_is_not_read_back() -> None:
    counting = CountingState(MemoryState())
    register = register_on(counting)
    moved = register.swap(register.swap(None, Live(1)), Live(2))
    assert counting.asked == {("create", KEY): 1, ("replace", KEY): 1}
    assert register.read() == moved


def test_equal_values_never_repeat_an_etag() -> None:
    register = register_on(MemoryState())
    first = register.swap(None, Live(1))
    again = register.swap(first, Live(1))
    assert first.etag != again.etag


def test_a_swap_from_an_old_reading_changes_nothing() -> None:
    register = register_on(MemoryState())
    first = register.swap(None, Live(1))
    second = register.swap(first, Live(2))
    with pytest.raises(Moved, match=KEY):
        register.swap(first, Live(3))
    assert register.read() == second


def test_a_first_swap_loses_to_a_record_that_stands() -> None:
    register = register_on(MemoryState())
    register.swap(None, Live(1))
    with pytest.raises(Superseded):
        register.swap(None, Live(2))


def test_a_no_to_our_own_success_is_found_to_be_a_yes() -> None:
    register = register_on(LosesReplies())
    first = register.swap(None, Live(1))
    assert register.swap(first, Live(2)).value == Live(2)


def test_a_success_without_an_answer_is_a_success() -> None:
    assert register_on(FallsSilent()).swap(None, Live(1)).value == Live(1)


def test_a_no_that_nobody_was_first_for_is_asked_again() -> None:
    state = Conflicts(times=2)
    register = register_on(state)
    first = register.swap(None, Live(1))
    state.times = 2
    assert register.swap(first, Live(2)).value == Live(2)


def test_a_store_that_goes_on_saying_no_is_worth_a_retry() -> None:
    state = Conflicts(times=0)
    register = register_on(state)
    first = register.swap(None, Live(1))
    state.times = 99
    with pytest.raises(Transient, match="although nobody else moved it"):
        register.swap(first, Live(2))
    assert register.read() == first


def test_no_answer_and_no_record_is_worth_a_retry() -> None:
    with pytest.raises(Transient, match="connection refused"):
        register_on(IsUnreachable()).swap(None, Live(1))


def test_a_record_that_nobody_moved_is_moved_from_whatever_etag_it_has_by_now() -> None:
    register = register_on(StandsBehindAProxy())
    second = register.swap(register.swap(None, Live(1)), Live(2))
    third = register.swap(second, Live(3))
    assert (third.value, third.sequence) == (Live(3), 3)
    with pytest.raises(Moved):
        register.swap(second, Live(4))


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"sequence": 1, "nonce": "n"}',
        b'{"version": "x", "sequence": 1, "nonce": "n"}',
        b'{"version": 1, "sequence": "1", "nonce": "n"}',
    ],
)
def test_a_damaged_record_is_named_and_never_guessed_around(damaged: bytes) -> None:
    state = MemoryState()
    state.write(KEY, damaged)
    with pytest.raises(Misconfigured, match=r"live\.json is damaged"):
        register_on(state).read()


def test_what_is_written_once_stays() -> None:
    state = MemoryState()
    assert immutable_put(state, "a", b"first") == b"first"
    assert immutable_put(state, "a", b"second") == b"first"


def test_what_a_conflict_kept_from_being_written_is_written_then() -> None:
    state = Conflicts(times=2)
    assert immutable_put(state, "a", b"x") == b"x"
    assert state.read("a") is not None


def test_a_store_that_keeps_nothing_is_worth_a_retry() -> None:
    with pytest.raises(Transient, match="although none stands there"):
        immutable_put(Conflicts(times=99), "a", b"x")
