"""No sockets in unit tests: only tests that say so may talk to a server; and who runs beside whom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

SERVERS = ("services", "airflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For `-n`: tests with servers one after another in one process, others by file, so that files share fixtures."""
    for item in items:
        group = "servers" if any(item.get_closest_marker(name) for name in SERVERS) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Closed, but for the servers' own tests; a pair of connected sockets within one machine stays open to all."""
    if any(request.node.get_closest_marker(name) for name in (*SERVERS, "enable_socket")):
        yield
        return
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
