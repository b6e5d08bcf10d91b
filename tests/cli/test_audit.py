"""What `audit` tells people of a manifest that is lost."""

from __future__ import annotations

import pytest
from cli.shell import Shell

from nightjar.flows.versions import read_version


def test_a_lost_bucket_says_what_helps_and_the_repair_says_what_it_did(shell: Shell) -> None:
    shell.run()
    lost = read_version(shell.world.state, 1).manifest[0]
    shell.world.state.delete([lost])
    told = shell("audit", "handbook")
    assert told.exit_code == 2
    assert f"{lost} is missing from the state" in told.stderr
    assert "`nightjar audit --repair` makes it again from the index" in told.stderr
    told = shell("audit", "handbook", "--repair")
    assert told.exit_code == 0
    assert "manifest rows of 1 document were lost, and are made again from the index" in told.stdout


@pytest.fixture
def forlorn(shell: Shell) -> Shell:
    """Four versions; no collection has the first any more, and a bucket that it alone names is gone."""
    for days in ("thirty", "forty", "fifty", "sixty"):
        shell.world.put("2024/hr/leave.txt", f"# Leave\n\nEveryone has {days} days of leave a year.")
        shell.run()
    own = set(read_version(shell.world.state, 1).manifest) - set(read_version(shell.world.state, 2).manifest)
    shell.world.state.delete(sorted(own))
    return shell


def test_a_version_of_which_nothing_tells_any_more_is_named(forlorn: Shell) -> None:
    assert "version 1 is given up" in forlorn("audit", "handbook", "--repair").stdout


def test_scripts_are_told_of_it_too(forlorn: Shell) -> None:
    told = forlorn.json("audit", "handbook", "--repair")
    assert (told["ok"], told["rebuilt"], told["given_up"]) == (True, 0, [1])
