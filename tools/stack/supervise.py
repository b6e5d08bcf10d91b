"""Starts and ends background services by recorded process id; a second start finds the first and leaves it alone."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.stack.place import Failed, Place, Refused
from tools.stack.ports import require_free
from tools.stack.processes import Process, alive, family, send, table

_POLL_S = 0.2
_LOG_TAIL_LINES = 15


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
        stop_grace_s: between asking it to end and ending it.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ports: Mapping[int, str]
    ready: Callable[[], bool]
    start_timeout_s: float = 60
    stop_grace_s: float = 20


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
    with log.open("ab") as output:
        child = subprocess.Popen(
            service.command,
            env=dict(service.environment),
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    born = table()[child.pid].born
    record = {"pid": child.pid, "born": born, "ports": sorted(service.ports)}
    _record_path(place, service.name).write_text(json.dumps(record))
    child.returncode = 0  # it outlives this program on purpose; keeps Popen from warning about that
    return True


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


def stop(names: Sequence[str], place: Place, *, grace_s: float = 20) -> dict[str, float]:
    """End these services and all their descendants; seconds by name of those that ran. Nothing is left then."""
    leaders = {name: leader for name in names if (leader := recorded(place, name))}
    begun = time.monotonic()
    families = {name: family(leader.pid, table()) for name, leader in leaders.items()}
    send(leaders.values(), signal.SIGTERM)
    took: dict[str, float] = {}
    while len(took) < len(leaders) and time.monotonic() - begun < grace_s:
        time.sleep(_POLL_S)
        families = {name: alive(known) | _present_family(leaders[name]) for name, known in families.items()}
        took |= {name: time.monotonic() - begun for name in leaders if name not in took and not families[name]}
    for known in families.values():
        _end(known)
    for name in leaders:
        took.setdefault(name, time.monotonic() - begun)
        _record_path(place, name).unlink(missing_ok=True)
    return took


def recorded(place: Place, name: str) -> Process | None:
    """The running process of a service, None when it does not run; a process id that was recycled is not ours."""
    path = _record_path(place, name)
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    row = table().get(record["pid"])
    if row and row.born == record["born"] and not row.ended:
        return row
    return None


def all_recorded(place: Place) -> list[str]:
    """Names of services that were started and not stopped, those included that have died since."""
    return sorted(path.stem for path in place.data("run").glob("*.json"))


def _present_family(leader: Process) -> set[Process]:
    """Children that appeared since the last look, while the leader is there to be followed."""
    return family(leader.pid, table()) if alive([leader]) else set()


def _end(known: set[Process]) -> None:
    send(known, signal.SIGKILL)
    while alive(known):
        time.sleep(_POLL_S)


def _require_same_ports(service: Service, place: Place, running: Process) -> None:
    ports = json.loads(_record_path(place, service.name).read_text())["ports"]
    if ports != sorted(service.ports):
        raise Refused(
            f"{service.name} already runs (process {running.pid}) on {', '.join(map(str, ports))}: "
            "leave NIGHTJAR_PORT_BASE as it was, or run `make stop` first"
        )


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
