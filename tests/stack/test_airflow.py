"""Airflow's metadata database is prepared when it has to be, and not at every start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.stack.airflow import is_migrated, migrate
from tools.stack.place import Failed, Place


def place_with_airflow(folder: Path, *, script: str) -> Place:
    """A checkout whose `airflow` is a few lines of Python."""
    place = Place(folder, folder / ".nightjar", 18080)
    place.python_programs.mkdir(parents=True)
    program = place.python_programs / "airflow"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(0o755)
    return place


def making_a_database(folder: Path) -> Place:
    database = folder / ".nightjar" / "airflow" / "airflow.db"
    return place_with_airflow(folder, script=f"open({str(database)!r}, 'w')")


def test_a_fresh_checkout_has_no_database(tmp_path: Path) -> None:
    assert not is_migrated(making_a_database(tmp_path))


def test_a_migrated_database_is_not_migrated_again(tmp_path: Path) -> None:
    place = making_a_database(tmp_path)
    migrate(place, {})
    assert is_migrated(place)


def test_another_airflow_migrates_again(tmp_path: Path) -> None:
    place = making_a_database(tmp_path)
    migrate(place, {})
    (place.data("airflow") / "migrated").write_text("3.3.1")
    assert not is_migrated(place)


def test_a_removed_database_is_made_again(tmp_path: Path) -> None:
    place = making_a_database(tmp_path)
    migrate(place, {})
    (place.data("airflow") / "airflow.db").unlink()
    assert not is_migrated(place)


def test_a_migration_that_failed_is_tried_again_at_the_next_start(tmp_path: Path) -> None:
    place = place_with_airflow(tmp_path, script="raise SystemExit(1)")
    with pytest.raises(Failed, match=r"airflow-migrate\.log"):
        migrate(place, {})
    assert not is_migrated(place)
