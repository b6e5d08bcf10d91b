from __future__ import annotations

import pytest
from contract_index import IndexContract


@pytest.mark.services
class TestWeaviateIndex(IndexContract):
    """The `index` fixture comes from this folder's conftest."""
