"""What runs on this machine, read from /proc where there is one, else from `ps`."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One row of the process table; `born` tells a recycled process id from the one that was started."""

    pid: int
    parent: int
    group: int
    born: str
    ended: bool


def table() -> dict[int, Process]:
    """Every process by id, those included that have ended and wait to be reaped."""
    rows = _from_proc() if (_PROC / "self" / "stat").exists() else _from_ps()
    return {row.pid: row for row in rows}


def _from_proc() -> Iterator[Process]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (row := _proc_row(entry)):
            yield row


def _proc_row(entry: Path) -> Process | None:
    """One process, None when it ended meanwhile. Fields are counted behind the name, which may contain anything."""
    try:
        stat = (entry / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent, group, *rest = stat.rpartition(")")[2].split()
    return Process(int(entry.name), int(parent), int(group), born=rest[16], ended=state in "ZX")


def _from_ps() -> Iterator[Process]:
    listing = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,pgid=,stat=,lstart="], check=True, capture_output=True, text=True
    ).stdout
    for line in listing.splitlines():
        pid, parent, group, state, born = line.split(maxsplit=4)
        yield Process(int(pid), int(parent), int(group), born, ended=state.startswith("Z"))


def family(leader: int, processes: Mapping[int, Process]) -> set[Process]:
    """A leader, all that descends from it, and all in its process group."""
    members = {pid for pid, row in processes.items() if leader in (pid, row.group)}
    grown = True
    while grown:
        children = {row.pid for row in processes.values() if row.parent in members} - members
        members |= children
        grown = bool(children)
    return {processes[pid] for pid in members if not processes[pid].ended}


def alive(wanted: Collection[Process]) -> set[Process]:
    """Those of `wanted` that still run; a process id that was given to somebody else does not count."""
    now = table()
    return {row for row in wanted if (found := now.get(row.pid)) and found.born == row.born and not found.ended}


def send(wanted: Collection[Process], number: signal.Signals) -> None:
    """Signal each; one that has just ended is no error."""
    for row in wanted:
        try:
            os.kill(row.pid, number)
        except ProcessLookupError:
            continue
