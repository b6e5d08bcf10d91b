from __future__ import annotations

import pytest
from contract_index import IndexContract

from nightjar.adapters.memory.index import MemoryIndex
from nightjar.ports import Index


class TestMemoryIndex(IndexContract):
    @pytest.fixture
    def index(self) -> Index:
        return MemoryIndex()
