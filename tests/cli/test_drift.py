from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.shell import Shell


@pytest.fixture
def twice(shell: Shell) -> Shell:
    shell.run()
    shell.world.put("2025/ops/bicycles.txt", "# Bicycles\n\nA bicycle for everyone.")
    shell.run()
    return shell


def test_without_versions_the_live_one_is_compared_with_its_parent(twice: Shell) -> None:
    told = twice.json("drift", "handbook")
    assert (told["live"], told["version"], told["state"]) == (1, 2, "none")


def test_two_versions_can_be_named_in_either_order(twice: Shell) -> None:
    told = twice.json("drift", "handbook", "2", "1")
    assert (told["live"], told["version"]) == (2, 1)


def test_the_report_is_written_where_it_is_asked_for(twice: Shell, tmp_path: Path) -> None:
    done = twice("drift", "handbook", "--out", str(tmp_path / "report"))
    assert "too few to learn what is usual" in done.stdout
    assert json.loads((tmp_path / "report/drift.json").read_text())["version"] == 2
    assert (tmp_path / "report/drift.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_single_version_is_wrong_usage(twice: Shell) -> None:
    done = twice("drift", "handbook", "1")
    assert (done.exit_code, "name both versions" in done.stderr) == (2, True)


def test_the_first_version_has_none_to_be_compared_with(shell: Shell) -> None:
    shell.run()
    done = shell("drift", "handbook")
    assert done.exit_code == 2
    assert "nothing is before version 1 to compare it with: the next version that `nightjar run" in done.stderr


def test_where_nothing_is_before_the_live_version_any_two_can_be_compared(twice: Shell) -> None:
    twice("rollback", "handbook")
    done = twice("drift", "handbook")
    assert "nothing is before version 1 to compare it with: `nightjar drift handbook A B` compares" in done.stderr


def test_an_unknown_version_is_named(twice: Shell) -> None:
    done = twice("drift", "handbook", "1", "9")
    assert (done.exit_code, "no version 9" in done.stderr) == (2, True)
