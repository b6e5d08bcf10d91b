"""Where everything local lives, and on which ports: one value that the other modules are handed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

HOST = "127.0.0.1"
DEFAULT_PORT_BASE = 18080
_PORT_BASES = range(1024, 65501)  # above the privileged ones, with room for the offsets
REPOSITORY = Path(__file__).resolve().parents[2]


class StackError(Exception):
    """Any failure that the stack foresaw; its text is for a person."""


class Refused(StackError):
    """The stack cannot start until a person changes something; the sentence says what."""


class Failed(StackError):
    """A part of the stack did not do its work; the sentence carries the end of its log."""


class Port(IntEnum):
    """Offsets from the base port, in the order in which people meet them."""

    AIRFLOW = 0
    WEAVIATE = 1
    WEAVIATE_GRPC = 2
    S3 = 3
    WEAVIATE_GOSSIP = 4
    WEAVIATE_DATA = 5  # Weaviate expects gossip + 1
    WEAVIATE_RAFT = 6
    WEAVIATE_RAFT_RPC = 7


@dataclass(frozen=True, slots=True)
class Place:
    """A checkout, its local folder and its base port."""

    repository: Path
    home: Path
    port_base: int

    def port(self, which: Port) -> int:
        """The number of one of the stack's ports."""
        return self.port_base + which

    def url(self, which: Port) -> str:
        """The loopback address behind a port, over http."""
        return f"http://{HOST}:{self.port(which)}"

    @property
    def programs(self) -> Path:
        """Server programs, found or built."""
        return self.home / "bin"

    @property
    def python_programs(self) -> Path:
        """The virtual environment's programs; Airflow's own subprocesses look for `airflow` here."""
        return self.repository / ".venv" / "bin"

    def data(self, service: str) -> Path:
        """A service's own folder, created on demand and closed to other users."""
        folder = self.home / service
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def place_from_environment() -> Place:
    """The checkout this file belongs to, at NIGHTJAR_PORT_BASE.

    Raises:
        Refused: the base is no number, or leaves no room below port 65536.
    """
    return Place(REPOSITORY, REPOSITORY / ".nightjar", port_base(os.environ.get("NIGHTJAR_PORT_BASE", "")))


def port_base(text: str) -> int:
    """The base port that `text` names; empty means the default.

    Raises:
        Refused: not a number between 1024 and 65500.
    """
    if not text:
        return DEFAULT_PORT_BASE
    if not text.isdigit() or int(text) not in _PORT_BASES:
        raise Refused(f"NIGHTJAR_PORT_BASE is {text!r}: set it to a number between 1024 and 65500")
    return int(text)
