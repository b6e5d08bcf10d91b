"""What evaluations said over time, newest last: one record a corpus, so that the next report can show a trend."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from nightjar.flows.records import Record, record
from nightjar.flows.services import Services
from nightjar.registers import Moved

KEY: Final = "evaluations.json"
_KEPT: Final = 500
_TRIES: Final = 5


def past_scores(services: Services, *, limit: int, but: tuple[str, int] | None = None) -> list[Record]:
    """The last entries: at, by (who asked), version, state, digest (of the questions) and figures.

    `but` leaves out what that one (`by`) said of that version, whose place another evaluation of its is about to take.
    """
    entry = record(services.state, KEY).read()
    return _others(entry.value["evaluations"], but)[-limit:] if entry else []


def remember_scores(services: Services, report: dict[str, Any], *, by: str) -> None:
    """Add one evaluation; a second one of the same version by the same run takes the place of the first.

    Raises:
        Moved: others added theirs at the same moment, again and again.
    """
    told = {name: report[name] for name in ("at", "version", "state", "measured", "digest", "figures")} | {"by": by}
    for _ in range(_TRIES - 1):
        with suppress(Moved):
            return _add(services, told)
    return _add(services, told)


def _add(services: Services, told: Record) -> None:
    register = record(services.state, KEY)
    seen = register.read()
    before = seen.value["evaluations"] if seen else []
    others = _others(before, (told["by"], told["version"]))
    register.swap(seen, {"format": 1, "evaluations": [*others, told][-_KEPT:]})


def _others(entries: list[Record], but: tuple[str, int] | None) -> list[Record]:
    return [each for each in entries if (each["by"], each["version"]) != but]
