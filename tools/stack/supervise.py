"""Starts and ends background services by recorded process id; a second start finds the first and leaves it alone."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tools.stack.place import Failed, Place, Refused
from tools.stack.ports import require_free
from tools.stack.processes import Process, alive, family, send, table

_POLL_S = 0.2
_LOG_TAIL_LINES = 15
_LEADERS_ALONE_S = 3
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Record(TypedDict):
    """What is remembered of a start, in `.nightjar/run`."""

    pid: int
    born: str
    ports: list[int]


@dataclass(frozen=True, slots=True)
class Service:
    """One program that runs in the background.

    Args:
        name: also the name of its log and of its record.
        command: program and arguments.
        environment: all that it sees; nothing is inherited besides.
        ports: number to purpose; they must be free before a start.
        ready: whether it answers; asked until it does.
        start_timeout_s: after which a start that is not ready has failed.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ports: Mapping[int, str]
    ready: Callable[[], bool]
    start_timeout_s: float = 60


def launch(service: Service, place: Place) -> bool:
    """Start the service unless it runs; true when this call started it. Readiness is `await_ready`'s business.

    Raises:
        Refused: a port is taken, or the service runs on other ports.
    """
    if running := recorded(place, service.name):
        _require_same_ports(service, place, running)
        return False
    for port, purpose in service.ports.items():
        require_free(port, purpose=purpose)
    log = _fresh_log(place, service.name)
    with log.open("ab") as output, interrupts_deferred():
        child = subprocess.Popen(
            service.command,
            env=dict(service.environment),
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        child.returncode = 0  # it outlives this program on purpose; keeps Popen from warning about that
        born = table()[child.pid].born
        record: Record = {"pid": child.pid, "born": born, "ports": sorted(service.ports)}
        _write(_record_path(place, service.name), json.dumps(record))
    return True


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Ctrl-C comes through at the end of the block: a process that was started and not recorded would outlive all."""
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda sent, _: arrived.append(sent)) for number in _INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for sent in arrived[:1]:
            signal.raise_signal(sent)


def await_ready(service: Service, place: Place) -> float:
    """Wait until the service answers; the seconds that took.

    Raises:
        Failed: it ended, or did not answer in time; the sentence carries the end of its log.
    """
    begun = time.monotonic()
    while not service.ready():
        waited = time.monotonic() - begun
        if not recorded(place, service.name):
            raise Failed(f"{service.name} ended while starting. {_log_tail(place, service.name)}")
        if waited > service.start_timeout_s:
            raise Failed(f"{service.name} did not answer within {waited:.0f} s. {_log_tail(place, service.name)}")
        time.sleep(_POLL_S)
    return time.monotonic() - begun


def stop(names: Sequence[str], place: Place, *, grace_s: float = 20) -> list[str]:
    """End these services and all their descendants; the names of those that ran. Nothing is left when it returns.

    Leaders are asked first, so that they can end their children in order; a few seconds later everybody is asked,
    because Airflow's scheduler otherwise waits for its running tasks; what is left after `grace_s` is killed.
    """
    left = {name: members for name in names if (members := _members(place, name))}
    ended = list(left)
    send([member for name, members in left.items() for member in _leaders(place, name, members)], signal.SIGTERM)
    left = _after(min(_LEADERS_ALONE_S, grace_s), left, place)
    send(set().union(*left.values()), signal.SIGTERM)
    left = _after(max(grace_s - _LEADERS_ALONE_S, 0), left, place)
    for members in left.values():
        _end(members)
    for name in names:
        _record_path(place, name).unlink(missing_ok=True)
    return ended


def _after(seconds: float, left: dict[str, set[Process]], place: Place) -> dict[str, set[Process]]:
    """What is left once all have ended, or the seconds are over; children that appear meanwhile are counted in."""
    until = time.monotonic() + seconds
    while left and time.monotonic() < until:
        time.sleep(_POLL_S)
        left = {name: now for name, known in left.items() if (now := alive(known) | _members(place, name))}
    return left


def _members(place: Place, name: str) -> set[Process]:
    """A service's process, its descendants and its group, which outlives the process that gave it its number."""
    record = _record(place, name)
    processes = table()
    leader = processes.get(record["pid"]) if record else None
    if record is None or (leader and leader.born != record["born"]):
        return set()
    return family(record["pid"], processes)


def _leaders(place: Place, name: str, members: set[Process]) -> set[Process]:
    """The process that was started; everybody when it has died and left the others behind."""
    leader = recorded(place, name)
    return {leader} if leader else members


def recorded(place: Place, name: str) -> Process | None:
    """The running process of a service, None when it does not run; a process id that was recycled is not ours."""
    record = _record(place, name)
    row = table().get(record["pid"]) if record else None
    return row if record and row and row.born == record["born"] and not row.ended else None


def all_recorded(place: Place) -> list[str]:
    """Names of services that were started and not stopped, those included that have died since."""
    return sorted(path.stem for path in place.data("run").glob("*.json"))


def _end(known: set[Process]) -> None:
    send(known, signal.SIGKILL)
    while alive(known):
        time.sleep(_POLL_S)


def _require_same_ports(service: Service, place: Place, running: Process) -> None:
    record = _record(place, service.name)
    ports = record["ports"] if record else []
    if ports != sorted(service.ports):
        raise Refused(
            f"{service.name} already runs (process {running.pid}) on {', '.join(map(str, ports))}: "
            "leave NIGHTJAR_PORT_BASE as it was, or run `make stop` first"
        )


def _record(place: Place, name: str) -> Record | None:
    path = _record_path(place, name)
    if not path.exists():
        return None
    record: Record = json.loads(path.read_text())
    return record


def _write(path: Path, text: str) -> None:
    """Whole or not at all: `make stop` reads it after whatever happened here."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


def _record_path(place: Place, name: str) -> Path:
    return place.data("run") / f"{name}.json"


def log_path(place: Place, name: str) -> Path:
    """Where a service writes; the log of the start before stands beside it as `.1`."""
    return place.data("logs") / f"{name}.log"


def _fresh_log(place: Place, name: str) -> Path:
    path = log_path(place, name)
    if path.exists():
        path.replace(path.with_suffix(".log.1"))
    return path


def _log_tail(place: Place, name: str) -> str:
    path = log_path(place, name)
    lines = path.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return "\n".join([f"The end of {path}:", *(f"  {line}" for line in lines)])
