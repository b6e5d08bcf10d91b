"""Who holds a port, so that the refusal can name them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
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
    sockets = {name for _, held, name in _listening_sockets() if held == port}
    for entry in Path("/proc").glob("[0-9]*"):
        if sockets and _holds(entry, sockets):
            return f"process {entry.name} ({(entry / 'comm').read_text().strip()})"
    return "another program"


def listening(pid: int) -> Iterator[tuple[str, int]]:
    """Address and port of every socket on which a process waits for connections; nothing where there is no /proc."""
    for address, port, name in _listening_sockets():
        if _holds(Path("/proc") / str(pid), {name}):
            yield address, port


def _listening_sockets() -> Iterator[tuple[str, int, str]]:
    """(address, port, name under which a process holds it), over IPv4 and IPv6."""
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        path = Path("/proc/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            columns = line.split()
            address, _, port = columns[1].rpartition(":")
            if columns[3] == _LISTENING:
                yield _readable(family, address), int(port, 16), f"socket:[{columns[9]}]"


def _readable(family: socket.AddressFamily, words: str) -> str:
    """The kernel prints an address as 32-bit words in the machine's own byte order."""
    packed = b"".join(int(words[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(words), 8))
    return socket.inet_ntop(family, packed)


def _holds(entry: Path, sockets: set[str]) -> bool:
    """Whether a process has one of these sockets open; no where it ended meanwhile, or is another user's."""
    with suppress(OSError):
        return any(_target(link) in sockets for link in (entry / "fd").iterdir())
    return False


def _target(link: Path) -> str:
    """What an open file points to; empty where it was closed meanwhile, as is what the folder was listed through."""
    with suppress(OSError):
        return str(link.readlink())
    return ""
