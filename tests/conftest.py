"""No sockets in unit tests: only tests that say so may talk to a server."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weaviate's client asks a server that is gone five times more, over a minute; here it does not wait between."""
    monkeypatch.setattr("weaviate.retry.time", SimpleNamespace(sleep=lambda _seconds: None))
