"""Time that a test decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nightjar.clock import Clock


@dataclass
class Time:
    """A clock that a test winds: `meanwhile` runs whenever somebody sleeps."""

    seconds: float = 0.0
    meanwhile: Callable[[], None] = lambda: None
    slept: float = 0.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        start = datetime(2026, 11, 23, 2, tzinfo=UTC)
        self.clock = Clock(lambda: self.seconds, self.sleep, lambda: start + timedelta(seconds=self.seconds))

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept += seconds
        self.meanwhile()
