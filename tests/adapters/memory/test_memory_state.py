from __future__ import annotations

import pytest
from contract_state import StateContract

from nightjar.adapters.memory.state import MemoryState
from nightjar.ports import StateStore


class TestMemoryState(StateContract):
    @pytest.fixture
    def state(self) -> StateStore:
        return MemoryState()


def test_equal_content_repeats_its_etag_as_in_s3() -> None:
    state = MemoryState()
    state.write("a", b"same")
    state.write("b", b"same")
    assert state.read("a") == state.read("b")
