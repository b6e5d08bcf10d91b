"""Who holds a port, so that the refusal can name them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from tools.stack.place import HOST, Refused

_LISTENING = "0A"


def require_free(port: int, *, purpose: str) -> None:
    """Do nothing when the port is free on loopback.

    Raises:
        Refused: somebody listens there; named where the operating system tells.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # lingering connections hold nothing
        try:
            probe.bind((HOST, port))
        except OSError as taken:
            raise Refused(
                f"port {port} ({purpose}) is taken by {_holder(port)}: "
                "end that program, or choose other ports with NIGHTJAR_PORT_BASE=19080 (any free range of ten)"
            ) from taken


def _holder(port: int) -> str:
    """`process 4711 (nginx)`, or `another program` where that cannot be seen."""
    sockets = set(_listening_sockets(port))
    for entry in Path("/proc").glob("[0-9]*"):
        if sockets and _holds(entry, sockets):
            return f"process {entry.name} ({(entry / 'comm').read_text().strip()})"
    return "another program"


def _listening_sockets(port: int) -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        path = Path("/proc/net") / name
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            columns = line.split()
            if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{columns[9]}]"


def _holds(entry: Path, sockets: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in sockets for link in (entry / "fd").iterdir())
    except OSError:  # ended meanwhile, or another user's
        return False
