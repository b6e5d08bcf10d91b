"""What the stages of a run took: kept beside the run while it lasts, then with the version that it made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from nightjar.clock import stopwatch
from nightjar.errors import HeldBack
from nightjar.flows.runs import Run, read_json, told_of, write_json
from nightjar.flows.services import Services

T = TypeVar("T")
ONE_AFTER_ANOTHER: Final = ("plan", "access", "gates", "index", "verify", "promote")
_STAGES: Final = ("plan", "parse", "chunk", "check", "embed", "access", "gates", "index", "verify", "promote")


def timed(services: Services, run: Run, name: str, step: Callable[[], T]) -> T:
    """Do a step and keep its seconds beside the run, also where it holds the run back."""
    elapsed = stopwatch()
    try:
        result = step()
    except HeldBack:
        write_json(services, run, f"seconds/{name}.json", elapsed())
        raise
    write_json(services, run, f"seconds/{name}.json", elapsed())
    return result


def seconds_of(services: Services, run: Run) -> dict[str, float]:
    """Seconds of every stage in the order of a night; golden questions count as a gate.

    Of stages that shards pass it is the sum over shards, which may have worked side by side.
    """
    kept = {name: read_json(services, run, f"seconds/{name}.json") or 0.0 for name in (*ONE_AFTER_ANOTHER, "evaluate")}
    kept["gates"] += kept["evaluate"]
    kept |= told_of(services, run).get("cost", {}).get("seconds", {})
    return {name: round(kept.get(name, 0.0), 3) for name in _STAGES}
