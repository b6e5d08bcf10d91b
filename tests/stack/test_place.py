"""Ports: which numbers are accepted, and what is said of one that is taken."""

from __future__ import annotations

import socket

import pytest

from tools.stack.place import DEFAULT_PORT_BASE, HOST, Refused, port_base
from tools.stack.ports import require_free


@pytest.mark.parametrize(
    ("text", "base"), [("", DEFAULT_PORT_BASE), ("1024", 1024), ("19000", 19000), ("65500", 65500)]
)
def test_a_usable_port_base_is_taken(text: str, base: int) -> None:
    assert port_base(text) == base


@pytest.mark.parametrize("text", ["80", "65501", "-1", "http", "18080 "])
def test_an_unusable_port_base_is_refused_with_the_range(text: str) -> None:
    with pytest.raises(Refused, match="between 1024 and 65500"):
        port_base(text)


@pytest.mark.enable_socket
def test_a_taken_port_is_named_with_its_purpose_and_holder() -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(Refused, match=rf"port {port} \(Weaviate over HTTP\) is taken by .*NIGHTJAR_PORT_BASE"):
            require_free(port, purpose="Weaviate over HTTP")


@pytest.mark.enable_socket
def test_a_free_port_passes() -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]
    require_free(port, purpose="anything")
