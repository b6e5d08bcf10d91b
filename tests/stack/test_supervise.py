"""Background services: started once, ended whole, never mistaken for somebody else's process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tools.stack.place import Failed, Place, Refused
from tools.stack.processes import table
from tools.stack.supervise import Service, all_recorded, await_ready, launch, log_path, recorded, stop

SLEEPER = "import time; time.sleep(60)"
STUBBORN_PARENT = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path, tmp_path / ".nightjar", 18080)
    yield place
    stop(all_recorded(place), place, grace_s=0)


def service(code: str, *, ready: Callable[[], bool] = lambda: True, ports: dict[int, str] | None = None) -> Service:
    return Service("sleeper", [sys.executable, "-c", code], {}, ports or {}, ready=ready, start_timeout_s=5)


def test_a_second_start_leaves_the_first_alone(place: Place) -> None:
    assert launch(service(SLEEPER), place)
    first = recorded(place, "sleeper")
    assert not launch(service(SLEEPER), place)
    assert recorded(place, "sleeper") == first


def test_a_second_start_on_other_ports_is_refused(place: Place) -> None:
    launch(service(SLEEPER), place)
    with pytest.raises(Refused, match="make stop"):
        launch(service(SLEEPER, ports={19000: "HTTP"}), place)


def test_a_recycled_process_id_is_not_ours(place: Place) -> None:
    launch(service(SLEEPER), place)
    path = place.home / "run" / "sleeper.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"born": "earlier"}))
    assert recorded(place, "sleeper") is None
    path.write_text(json.dumps(record))


def test_a_service_that_ends_while_starting_shows_the_end_of_its_log(place: Place) -> None:
    dying = service("print('no space left'); raise SystemExit(3)", ready=lambda: False)
    launch(dying, place)
    with pytest.raises(Failed, match=r"(?s)ended while starting.*no space left"):
        await_ready(dying, place)


def test_stopping_ends_a_stubborn_service_and_its_detached_children(place: Place) -> None:
    launch(service(STUBBORN_PARENT), place)
    log = log_path(place, "sleeper")
    while not log.read_text().strip():
        time.sleep(0.05)
    child = int(log.read_text())
    parent = recorded(place, "sleeper")
    assert parent is not None
    stop(["sleeper"], place, grace_s=0.5)
    rows = table()
    assert all(rows[pid].ended for pid in (child, parent.pid) if pid in rows)


def test_stopping_ends_children_whose_parent_has_crashed(place: Place) -> None:
    launch(
        service("import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"),
        place,
    )
    while recorded(place, "sleeper"):
        time.sleep(0.05)
    assert stop(["sleeper"], place) == ["sleeper"]
    assert stop(["sleeper"], place) == []


def test_stopping_what_does_not_run_is_harmless(place: Place) -> None:
    assert stop(["sleeper"], place) == []


def test_the_log_of_the_start_before_is_kept(place: Place) -> None:
    for word in ("first", "second"):
        launch(service(f"print('{word}', flush=True); {SLEEPER}"), place)
        while word not in log_path(place, "sleeper").read_text():
            time.sleep(0.05)
        stop(["sleeper"], place)
    assert "first" in log_path(place, "sleeper").with_suffix(".log.1").read_text()


@contextmanager
def _heeding_ctrl_c() -> Iterator[None]:
    """As at a terminal: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_during_a_start_leaves_a_record_to_stop_by(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> Any:
        child = real(*arguments, **options)
        signal.raise_signal(signal.SIGINT)
        return child

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with _heeding_ctrl_c(), pytest.raises(KeyboardInterrupt):
        launch(service(SLEEPER), place)
    assert stop(all_recorded(place), place) == ["sleeper"]
