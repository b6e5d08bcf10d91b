"""`forget` at a prompt."""

from __future__ import annotations

import pytest
from cli.shell import Shell

LEAVE = "s3://documents/h/2024/hr/leave.txt"


@pytest.fixture
def served(shell: Shell) -> Shell:
    shell.run()
    return shell


def test_it_says_what_it_did_and_what_is_out_of_reach(served: Shell) -> None:
    told = served("forget", "handbook", LEAVE, "--reason", "asked")
    assert told.exit_code == 0
    assert "erased 1 document" in told.stdout
    assert f"the source object {LEAVE}, and its sidecar if it has one: delete them yourself" in told.stdout
    assert "Weaviate's backups" in told.stdout
    assert not any("thirty days" in text for text in served.world.texts())


def test_its_json_lists_the_same(served: Shell) -> None:
    told = served.json("forget", "handbook", "2024/hr/leave.txt")
    assert (told["format"], told["corpus"], len(told["erased"])) == (1, "handbook", 1)
    assert told["in_source"] == [LEAVE]
    assert told["copies"] == []
    assert told["removed"]["objects"] == 1
    assert told["unreachable"][0].startswith("the source object")


def test_plan_and_run_count_what_is_left_out(served: Shell) -> None:
    served("forget", "handbook", LEAVE)
    assert served.json("plan", "handbook")["erased"] == 1
    assert "erased and left out: 1, still in the bucket" in served("plan", "handbook").stdout
    assert served.run()["erased"] == 1


def test_a_lift_lets_it_return(served: Shell) -> None:
    served("forget", "handbook", LEAVE)
    lifted = served("forget", "handbook", LEAVE, "--lift")
    assert (lifted.exit_code, "may return" in lifted.stdout) == (0, True)
    assert served.run()["documents"]["added"] == 1
    assert any("thirty days" in text for text in served.world.texts())


def test_whoever_lifts_what_was_never_erased_is_told_what_was(served: Shell) -> None:
    assert "was never erased: nothing was" in served("forget", "handbook", LEAVE, "--lift").stderr
    served("forget", "handbook", "2025/ops/travel.txt")
    assert "was never erased: 1 other was, see erased.json" in served("forget", "handbook", LEAVE, "--lift").stderr


def test_an_unknown_document_is_wrong_usage(served: Shell) -> None:
    told = served("forget", "handbook", "s3://documents/h/nobody.txt")
    assert told.exit_code == 2
    assert "no document s3://documents/h/nobody.txt" in told.stderr


def test_without_a_document_nothing_is_asked(served: Shell) -> None:
    assert served("forget", "handbook").exit_code == 2
