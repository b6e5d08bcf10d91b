from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_servers import Gateway, moto_server, versitygw_server
from servers import free_ports


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("buckets")
    with versitygw_server(folder) as running:
        yield running


@pytest.fixture
def unused_endpoint() -> str:
    (port,) = free_ports(1)
    return f"http://127.0.0.1:{port}"
