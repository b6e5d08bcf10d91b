"""The passing of time, as something that a test can hand in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final


def _ticks() -> float:
    """Seconds that go on while the machine sleeps, where it can tell: a holder must not oversleep its lease."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def stopwatch() -> Callable[[], float]:
    """Started now; each call tells the seconds since, also where the wall clock is set meanwhile."""
    started = time.monotonic()
    return lambda: time.monotonic() - started


@dataclass(frozen=True, slots=True)
class Clock:
    """Ticks (seconds, never set back) to decide by; the wall clock (UTC) to tell people, and within one machine."""

    ticks: Callable[[], float] = _ticks
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


SYSTEM_CLOCK: Final = Clock()
