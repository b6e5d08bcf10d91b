"""What `versions`, `show`, `diff` and `rollback` tell people: what changed, why, what it cost, who and when."""

from __future__ import annotations

import pytest
from cli.shell import CORPUS, Shell

from nightjar.flows.versions import keep_seconds

LEAVE = "2024/hr/leave.txt"


@pytest.fixture
def served(shell: Shell) -> Shell:
    """Two versions live one after the other, and a third that the quality gate refused."""
    rules = "quality: {allowance: 0, max_failed_documents: 5%}\n"
    (shell.corpora / "handbook.yaml").write_text(CORPUS + rules)
    shell.run()
    shell.world.put(LEAVE, "# Leave\n\nEveryone has forty days of leave a year.")
    shell.run()
    shell.world.put(LEAVE, "%BAD bytes")
    assert shell("run", "handbook").exit_code == 3
    return shell


def row_of(shell: Shell, number: int) -> str:
    return next(row for row in shell("versions", "handbook").stdout.splitlines() if row.startswith(f"{number} "))


def test_a_version_is_one_line_with_what_changed_what_it_cost_and_why(served: Shell) -> None:
    assert "1 changed, 1 quarantined" in row_of(served, 3)
    assert "quality.max_failed_documents allows 5%" in row_of(served, 3)
    tokens = served.json("show", "handbook", "2")["cost"]["tokens"]
    assert tokens > 0
    assert str(tokens) in row_of(served, 2).split()


def test_a_version_tells_what_every_stage_took(served: Shell) -> None:
    stages = ("plan", "parse", "chunk", "check", "embed", "access", "gates", "index", "verify", "promote")
    assert tuple(served.json("show", "handbook", "2")["cost"]["seconds"]) == stages
    keep_seconds(served.world.state, 2, dict.fromkeys(stages, 1.5))
    each = ", ".join(f"{name} 1.5" for name in stages)
    assert f"15.0 s ({each})" in served("show", "handbook", "2").stdout


def test_one_chunk_is_told_as_one(served: Shell) -> None:
    told = served("show", "handbook", "2").stdout
    assert "; 1 chunk embedded, 0 reused; 1 document parsed" in told


def test_a_hold_names_who_and_why(served: Shell) -> None:
    served("hold", "handbook", "--reason", "audit week")
    first = served("versions", "handbook").stdout.splitlines()[0]
    assert "on hold by cli " in first
    assert first.endswith("audit week")


def test_a_rejected_version_says_why_and_what_one_can_do(served: Shell) -> None:
    told = served("show", "handbook", "3").stdout
    assert "is rejected: 1 of 2 served documents failed" in told.splitlines()[0]
    for command in ("promote handbook 3", "diff handbook 2 3", "quarantine handbook --version 3"):
        assert f"`nightjar {command}`" in told
    assert "s3://state/handbook/versions/000003/quality.html" in told


def test_a_gate_that_judged_nothing_says_why(served: Shell) -> None:
    def told(number: int, gate: str) -> str:
        lines = served("show", "handbook", str(number)).stdout.splitlines()
        return next(line.split(maxsplit=1)[1] for line in lines if line.startswith(f"  {gate} "))

    assert told(1, "drift") == "not judged: no live version to compare"
    assert told(2, "evaluation").startswith("not judged: handbook has no golden questions: name a file of them")
    assert told(3, "evaluation") == "not judged: the version did not come so far"
    with (served.corpora / "handbook.yaml").open("a") as file:
        file.write("drift: {enabled: false}\n")
    served.world.put(LEAVE, "# Leave\n\nEveryone has fifty days of leave a year.")
    number = served.run()["version"]
    assert told(number, "drift") == "not judged: the corpus file says drift.enabled: false"


def test_another_embedding_that_waits_is_shown_with_the_evidence_for_a_decision(served: Shell) -> None:
    served.world.put(LEAVE, "# Leave\n\nEveryone has fifty days of leave a year.")
    served.world.model = "other"
    number = served.run()["version"]
    told = served("show", "handbook", str(number)).stdout
    assert "is waiting: the embedding changed from memory to other" in told.splitlines()[0]
    assert "drift       none: " in told
    assert f"s3://state/handbook/versions/{number:06}/drift.html" in told
    assert "evaluation  not judged: handbook has no golden questions" in told


def test_each_move_is_told_with_time_and_actor(served: Shell) -> None:
    steps = [row.split() for row in served("show", "handbook", "2").stdout.splitlines() if row.startswith("2026-")]
    assert [step[2] for step in steps] == ["gated", "indexing", "verified", "live"]
    assert {step[3] for step in steps} == {"cli"}


def test_a_rollback_says_where_it_went_and_where_another_would_go(served: Shell) -> None:
    served.world.put(LEAVE, "# Leave\n\nEveryone has fifty days of leave a year.")
    served.run()
    told = served("rollback", "handbook").stdout
    assert "version 2 is live again" in told
    assert "instead of version 4" in told
    assert "again goes further back, to version 1" in told
    told = served.json("rollback", "handbook")
    assert (told["from"], told["live"]) == (2, 1)
    last = served("rollback", "handbook")
    assert last.exit_code == 2
    assert "nothing is before it" in last.stderr


def test_a_diff_names_the_settings_that_differ(served: Shell) -> None:
    text = (served.corpora / "handbook.yaml").read_text() + "chunk: {max_tokens: 64}\n"
    (served.corpora / "handbook.yaml").write_text(text)
    served.world.put(LEAVE, "# Leave\n\nEveryone has fifty days of leave a year.")
    number = served.run()["version"]
    assert "recipe   chunk.max_tokens: usual → 64" in served("diff", "handbook", "2", str(number)).stdout
    assert served.json("diff", "handbook", "1", "2")["recipe"] == []


def test_gc_says_what_it_deleted_and_a_dry_run_what_it_would(served: Shell) -> None:
    assert "would delete 0 objects" in served("gc", "handbook", "--dry-run").stdout
    told = served.json("gc", "handbook")
    assert (told["dry_run"], told["versions"], told["bytes"], told["orphans"]) == (False, [], 0, [])
