from __future__ import annotations

from collections.abc import Iterator

import pytest
from servers import Weaviate, weaviate_process

from nightjar.adapters.weaviate_index.index import WeaviateIndex


@pytest.fixture(scope="session")
def weaviate_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weaviate]:
    """One server for all tests of a session; each makes collections of its own."""
    with weaviate_process(tmp_path_factory.mktemp("weaviate")) as server:
        yield server


@pytest.fixture
def index(weaviate_running: Weaviate) -> Iterator[WeaviateIndex]:
    opened = WeaviateIndex(
        http_url=weaviate_running.http_url, grpc_url=weaviate_running.grpc_url, api_key=weaviate_running.api_key
    )
    yield opened
    opened.close()
