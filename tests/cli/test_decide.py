"""What a person decides at a prompt: promote, reject, rollback, hold, unhold, and the difference of two versions."""

from __future__ import annotations

import pytest
from cli.shell import Shell


@pytest.fixture
def served(shell: Shell) -> Shell:
    """Two versions live one after the other."""
    shell.world.put("2024/hr/leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    shell.run()
    shell.world.put("2024/hr/leave.txt", "# Leave\n\nEveryone has forty days of leave a year.")
    shell.world.put("2024/it/new.txt", "# News\n\nA bicycle for everyone.")
    shell.run()
    return shell


def test_a_rollback_serves_the_version_before_and_holds(served: Shell) -> None:
    assert served("rollback", "handbook").exit_code == 0
    told = served.json("versions", "handbook")
    assert (told["live"], told["held"]) == (1, True)
    assert any("thirty" in text for text in served.world.texts())


def test_a_run_under_hold_ends_with_three_and_unhold_names_what_waits(served: Shell) -> None:
    served("rollback", "handbook", "--reason", "wrong days")
    assert served("run", "handbook").exit_code == 3
    released = served("unhold", "handbook")
    assert "version 3 waits (1 added, 1 changed, 0 removed)" in released.stdout


def test_unhold_names_no_version_that_others_have_overtaken(served: Shell) -> None:
    served.world.put("2024/it/more.txt", "# More\n\nAnother bicycle.")
    served("run", "handbook", "--no-promote")
    served.world.put("2024/it/yet.txt", "# Yet\n\nYet another bicycle.")
    served.run()
    served("hold", "handbook")
    assert served.json("unhold", "handbook")["waiting"] is None


def test_a_waiting_version_is_promoted_by_hand(served: Shell) -> None:
    served.world.put("2024/it/more.txt", "# More\n\nAnother bicycle.")
    assert served("run", "handbook", "--no-promote").exit_code == 3
    assert served.json("promote", "handbook", "3") == {
        "format": 1, "corpus": "handbook", "version": 3, "state": "live", "live": 3, "rebuilt": None,
    }  # fmt: skip
    assert any("Another bicycle" in text for text in served.world.texts())


def test_promoting_what_is_live_says_so_once(served: Shell) -> None:
    assert served("promote", "handbook", "2").stdout == "handbook: version 2 is live\n"


def test_a_rejection_before_anything_was_live_says_that_nothing_is(shell: Shell) -> None:
    shell("run", "handbook", "--no-promote")
    assert shell("reject", "handbook", "1").stdout == "handbook: version 1 is rejected; nothing is live\n"


def test_a_waiting_version_is_rejected_with_its_reason(served: Shell) -> None:
    served.world.put("2024/it/more.txt", "# More\n\nAnother bicycle.")
    served("run", "handbook", "--no-promote")
    assert served("reject", "handbook", "3", "--reason", "too early").exit_code == 0
    newest = served.json("versions", "handbook")["versions"][0]
    assert newest["state"] == "rejected"
    assert "too early" in newest["reason"]


def test_a_version_overtaken_by_others_is_built_anew(served: Shell) -> None:
    served.world.put("2024/it/more.txt", "# More\n\nAnother bicycle.")
    served("run", "handbook", "--no-promote")
    served.world.put("2024/it/yet.txt", "# Yet\n\nYet another bicycle.")
    served.run()
    told = served.json("promote", "handbook", "3")
    assert told["live"] == served.json("versions", "handbook")["live"]
    assert any("Another bicycle" in text for text in served.world.texts())


def test_a_live_version_cannot_be_rejected(served: Shell) -> None:
    refused = served("reject", "handbook", "2")
    assert refused.exit_code == 2
    assert "version 2 is live: `nightjar rollback handbook` goes back to the one before it" in refused.stderr


def test_whoever_rejects_the_only_version_is_sent_to_no_rollback(shell: Shell) -> None:
    shell.run()
    refused = shell("reject", "handbook", "1")
    assert "version 1 is live: there is no other to go back to; mend the documents" in refused.stderr
    assert "rollback" not in refused.stderr


def test_a_retired_version_that_cannot_be_rejected_is_one_to_go_back_to(served: Shell) -> None:
    assert "`nightjar rollback handbook --to 1` goes back to it" in served("reject", "handbook", "1").stderr


def test_a_hold_is_told_and_released(served: Shell) -> None:
    served("hold", "handbook", "--reason", "audit week")
    assert served.json("versions", "handbook")["held"]
    served("unhold", "handbook")
    assert not served.json("versions", "handbook")["held"]


def test_the_difference_of_two_versions_lists_documents_by_what_happened(served: Shell) -> None:
    told = served.json("diff", "handbook", "1", "2")
    assert told["counts"] == {"added": 1, "changed": 1, "removed": 0}
    assert told["documents"]["added"] == ["s3://documents/h/2024/it/new.txt"]
    assert "added    s3://documents/h/2024/it/new.txt" in served("diff", "handbook", "1", "2").stdout
