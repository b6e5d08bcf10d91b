"""`python -m tools.stack up weaviate s3 airflow`, `down`, `status`, `programs`: what the Makefile calls."""

from __future__ import annotations

import argparse
import fcntl
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from tools.stack import airflow, servers
from tools.stack.environment import write_environment
from tools.stack.place import Failed, Place, Port, Refused, place_from_environment
from tools.stack.programs import PROGRAMS, VERSITYGW, WEAVIATE, require_program, say
from tools.stack.secret import Secrets, local_secrets
from tools.stack.supervise import Service, all_recorded, await_ready, launch, log_path, recorded, stop

PARTS = ("weaviate", "s3", "airflow")
_INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 done, 1 something did not start, 2 a person has to change something first."""
    chosen = _arguments(arguments)
    try:
        place = place_from_environment()
        with _alone(place):
            return _obey(chosen, place)
    except Refused as reason:
        say(f"error: {reason}")
        return 2
    except Failed as reason:
        say(f"error: {reason}")
        return 1


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.stack", description="The local stack, without containers.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="start what is not running, and wait until it answers").add_argument(
        "parts", nargs="+", choices=PARTS
    )
    verbs.add_parser("down", help="end what was started").add_argument("parts", nargs="*", metavar="PART")
    verbs.add_parser("status", help="what runs, and where")
    verbs.add_parser("programs", help="find, fetch or build server programs").add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(PROGRAMS)}; default: all"
    )
    return parser.parse_args(arguments)


def _obey(chosen: argparse.Namespace, place: Place) -> int:
    if chosen.verb == "up":
        return _up(chosen.parts, place)
    if chosen.verb == "down":
        return _down(chosen.parts or PARTS, place)
    if chosen.verb == "programs":
        for name in chosen.names or PROGRAMS:
            require_program(PROGRAMS[name], place)
        return 0
    return _status(place)


def _up(parts: Sequence[str], place: Place) -> int:
    secrets = local_secrets(place.home)
    _start(_services(parts, place, secrets), place)
    write_environment(place, secrets)
    if "airflow" in parts:
        say(f"airflow: {place.url(Port.AIRFLOW)} login {airflow.USER} / {secrets.airflow_password}")
    return 0


def _services(parts: Sequence[str], place: Place, secrets: Secrets) -> Iterator[Service]:
    """In the order of their start, each made when the one before was launched: servers come up during a migration."""
    if "weaviate" in parts:
        yield servers.weaviate(require_program(WEAVIATE, place), place, secrets)
    if "s3" in parts:
        yield servers.s3(require_program(VERSITYGW, place), place, secrets)
    if "airflow" in parts:
        environment = airflow.airflow_environment(place, secrets)
        if not airflow.is_migrated(place):
            say("airflow: preparing its database")
            airflow.migrate(place, environment)
        yield from airflow.airflow_services(place, environment)


def _start(services: Iterable[Service], place: Place) -> None:
    """All are launched before the first is waited for; what was launched and failed is ended again."""
    begun = time.monotonic()
    launched: dict[str, bool] = {}
    waiting: list[Service] = []
    try:
        for service in services:
            launched[service.name] = launch(service, place)
            waiting.append(service)
        for service in waiting:
            await_ready(service, place)
            state = "ready" if launched[service.name] else "runs already"
            say(f"{service.name}: {state}{_addresses(service)}")
        say(f"all of it after {time.monotonic() - begun:.0f} s")
    except (Refused, Failed):
        stop([name for name, ours in launched.items() if ours], place, grace_s=5)
        raise


def _addresses(service: Service) -> str:
    return "".join(f", port {port}" for port in sorted(service.ports)[:1])


def _down(parts: Sequence[str], place: Place) -> int:
    """Airflow first: its tasks use the servers."""
    started = [name for name in all_recorded(place) if name.partition("-")[0] in parts]
    first = [name for name in started if name in airflow.NAMES]
    for wave in (first, [name for name in started if name not in first]):
        begun = time.monotonic()
        for name in stop(wave, place):
            say(f"{name}: ended, {time.monotonic() - begun:.0f} s")
    if not started:
        say("nothing was running")
    return 0


def _status(place: Place) -> int:
    for name in all_recorded(place):
        process = recorded(place, name)
        state = f"runs, process {process.pid}" if process else f"has died, see {log_path(place, name)}"
        print(f"{name}: {state}")
    return 0


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """Two terminals that start the stack at once take turns; the second finds it running."""
    with (place.data("run") / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def interruptible(work: Callable[[], int]) -> int:
    """The exit code of `work`; Ctrl-C is told in a sentence, and whatever was started can be ended."""
    try:
        return work()
    except KeyboardInterrupt:
        say("interrupted: `make stop` ends what was started")
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(interruptible(lambda: main(sys.argv[1:])))
