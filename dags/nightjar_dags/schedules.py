"""A corpus's schedule as Airflow takes it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import Asset, CronTriggerTimetable

from nightjar.corpus import Assets, Corpus

_MINUTES_A_DAY: Final = 24 * 60
_MINUTES_A_WEEK: Final = 7 * _MINUTES_A_DAY
_NO_CRON: Final = ("@once", "@continuous")
# Airflow counts these two from a start; any moment in the past will do, and a moving one would make a new DAG version.
_LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)


def schedule_of(corpus: Corpus) -> Any:
    """A timetable in the corpus's own time zone, a preset, references to assets, or None for "only by hand"."""
    written = corpus.schedule
    if isinstance(written, Assets):
        return [_referred(asset) for asset in written.assets]
    if written is None or written in _NO_CRON:
        return written
    # Airflow takes False for "a run that was due a while ago, too" (3.3.2): unpausing would start a night by day.
    return CronTriggerTimetable(written, timezone=corpus.timezone, run_immediately=timedelta(0))


def weekly(corpus: Corpus) -> Any:
    """Once a week in the corpus's own time zone, at a moment that follows from its name: many do not start at once."""
    moment = int.from_bytes(hashlib.sha256(corpus.name.encode()).digest()[:8]) % _MINUTES_A_WEEK
    day, minute = divmod(moment, _MINUTES_A_DAY)
    cron = f"{minute % 60} {minute // 60} * * {day}"
    return CronTriggerTimetable(cron, timezone=corpus.timezone, run_immediately=timedelta(0))


def start_of(corpus: Corpus) -> datetime | None:
    """From when the schedule counts; None leaves it to the timetable, so that nothing is made up for."""
    return _LONG_AGO if corpus.schedule in _NO_CRON else None


def _referred(asset: str) -> Any:
    """A reference, not a declaration: the asset belongs to the DAG that updates it."""
    return Asset.ref(uri=asset) if "://" in asset else Asset.ref(name=asset)
