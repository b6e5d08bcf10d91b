from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Asset, CronTriggerTimetable
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import TimeRestriction
from dags_of import corpus_of

from nightjar_dags.schedules import schedule_of, start_of, weekly


def test_a_cron_line_counts_in_the_corpus_s_own_time_zone(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, schedule="0 2 * * *", timezone="Europe/Berlin")
    expected = CronTriggerTimetable("0 2 * * *", timezone="Europe/Berlin", run_immediately=timedelta(0))
    assert schedule_of(corpus) == expected


@pytest.mark.parametrize("schedule", ["@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly"])
def test_unpausing_waits_for_the_next_time(tmp_path: Path, schedule: str) -> None:
    timetable: Any = decode_timetable(encode_timetable(schedule_of(corpus_of(tmp_path, schedule=schedule))))
    restriction = TimeRestriction(earliest=None, latest=None, catchup=False)
    first = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    assert first.run_after.is_future()


def test_without_a_schedule_it_runs_only_by_hand(tmp_path: Path) -> None:
    assert schedule_of(corpus_of(tmp_path)) is None


@pytest.mark.parametrize("schedule", ["@once", "@continuous"])
def test_what_is_no_cron_line_gets_a_fixed_start(tmp_path: Path, schedule: str) -> None:
    corpus = corpus_of(tmp_path, schedule=schedule)
    assert (schedule_of(corpus), start_of(corpus)) == (schedule, start_of(corpus_of(tmp_path, schedule="@once")))
    assert start_of(corpus) is not None


@pytest.mark.parametrize(
    ("written", "reference"),
    [("s3://lake/exports", Asset.ref(uri="s3://lake/exports")), ("exports", Asset.ref(name="exports"))],
)
def test_assets_are_referred_to_and_not_declared(tmp_path: Path, written: str, reference: Any) -> None:
    assert schedule_of(corpus_of(tmp_path, schedule={"assets": [written]})) == [reference]


def test_audits_run_once_a_week_in_the_corpus_s_own_time_zone(tmp_path: Path) -> None:
    timetable: Any = decode_timetable(encode_timetable(weekly(corpus_of(tmp_path, timezone="Europe/Berlin"))))
    restriction = TimeRestriction(earliest=None, latest=None, catchup=False)
    first = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    second = timetable.next_dagrun_info(last_automated_data_interval=first.data_interval, restriction=restriction)
    assert first.run_after.is_future()
    assert second.run_after.in_timezone("Europe/Berlin") == first.run_after.in_timezone("Europe/Berlin").add(weeks=1)


def test_audits_of_many_corpora_do_not_start_together(tmp_path: Path) -> None:
    corpora = [corpus_of(tmp_path).model_copy(update={"name": f"corpus{number}"}) for number in range(50)]
    assert len({str(encode_timetable(weekly(corpus))) for corpus in corpora}) > 45


def test_an_audit_s_moment_does_not_move(tmp_path: Path) -> None:
    assert weekly(corpus_of(tmp_path)) == weekly(corpus_of(tmp_path))
