"""No sockets in unit tests: only tests that say so may talk to a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Closed, but for the servers' own tests; a pair of connected sockets within one machine stays open to all."""
    if any(request.node.get_closest_marker(name) for name in ("services", "airflow", "enable_socket")):
        yield
        return
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
