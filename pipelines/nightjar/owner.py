"""Who works on a corpus, by lease or by decision; and whether a process of this very machine is still there."""

from __future__ import annotations

import getpass
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Process:
    """One process for good: a process id alone is soon given to another.

    `machine` names this start of the kernel and this process-id namespace (containers of one host share a kernel, and
    cannot see each other's processes); `started` is in clock ticks since the kernel's start.
    """

    machine: str
    pid: int
    started: int

    @classmethod
    def current(cls) -> Self | None:
        """This process; None where the system has no /proc to tell."""
        machine, started = _machine(), _started(os.getpid())
        return None if machine is None or started is None else cls(machine, os.getpid(), started)

    @property
    def is_local(self) -> bool:
        """This machine can judge whether it lives."""
        return self.machine == _machine()

    @property
    def is_gone(self) -> bool:
        """It ran here and has ended; never true of a process elsewhere."""
        return self.is_local and _started(self.pid) != self.started


@dataclass(frozen=True, slots=True)
class Owner:
    """What people read in "run X of OWNER", and what lets a successor take over without waiting.

    A DAG runs once at a time (`max_active_runs=1`), so that another run of the same DAG proves the earlier one over.
    A command is over when its process is gone.
    """

    name: str
    process: Process | None = None

    @classmethod
    def command(cls) -> Self:
        """A command line on this host: `cli <host>:<pid>`."""
        return cls(f"cli {socket.gethostname()}:{os.getpid()}", Process.current())

    @classmethod
    def dag(cls, dag_id: str) -> Self:
        """All runs of one DAG: `dag <dag_id>`."""
        return cls(f"dag {dag_id}")

    @classmethod
    def one_run(cls, dag_id: str, run_id: str) -> Self:
        """One run of a DAG whose runs may overlap, in this process: `<dag_id> <run_id>`."""
        return cls(f"{dag_id} {run_id}", Process.current())

    @property
    def is_dag(self) -> bool:
        """Its runs follow one another and never overlap."""
        return self.name.startswith("dag ")


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, as what history and the lease are to say; `run_id` is new for each decision."""

    run_id: str
    owner: Owner
    actor: str
    reason: str


def person() -> str:
    """Who typed a command, as history names them: `cli <user>@<host>`."""
    user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    with suppress(KeyError, OSError, ImportError):  # a container may run as a user without a name
        user = getpass.getuser()
    return f"cli {user}@{socket.gethostname()}"


def _machine() -> str | None:
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return None


def _started(pid: int) -> int | None:
    """Field 22 of /proc/<pid>/stat (proc(5)); None when there is no such process, or only its unread exit code."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()
        return None if fields[0] == "Z" else int(fields[19])
    return None
