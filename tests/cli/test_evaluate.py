"""`evaluate` and `questions suggest`: scores on demand, and drafts that nobody writes into place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli.shell import CORPUS, Shell

from nightjar.artifacts import version_key
from nightjar.model import ChunkId, CollectionName

LEAVE, TRAVEL = "s3://documents/h/2024/hr/leave.txt", "s3://documents/h/2025/ops/travel.txt"
QUESTIONS = [
    {"question": "Everyone has thirty days of leave a year.", "relevant": [LEAVE]},
    {"question": "Trains before planes, always.", "relevant": [TRAVEL]},
    {"question": "Who is gone?", "relevant": ["s3://documents/h/gone.txt"]},
]


def asking(shell: Shell) -> Shell:
    lines = "".join(f"{json.dumps(each)}\n" for each in QUESTIONS)
    (shell.corpora / "golden.jsonl").write_text(lines)
    section = "evaluation: {questions: ./golden.jsonl, floor: {recall: 0.5}}\n"
    (shell.corpora / "handbook.yaml").write_text(CORPUS + section)
    return shell


@pytest.fixture
def asked(shell: Shell) -> Shell:
    asking(shell).run()
    return shell


def test_what_is_live_is_scored_against_its_own_record(asked: Shell) -> None:
    told = asked.json("evaluate", "handbook")
    assert (told["format"], told["corpus"], told["version"], told["live"]) == (1, "handbook", 1, 1)
    assert (told["state"], told["measured"], told["questions"], told["unknown_count"]) == ("none", "index", 2, 1)
    assert {each["mode"] for each in told["measures"]} == {"vector", "keyword", "hybrid"}
    assert all(each["difference"]["mean"] == 0 for each in told["measures"])


def test_a_run_tells_the_verdict(shell: Shell) -> None:
    verdict = asking(shell).run()["verdicts"]["evaluation"]
    assert (verdict["state"], verdict["figures"]["questions"]) == ("none", 2.0)


def test_show_tells_the_score_of_hybrid_search_in_one_line(asked: Shell) -> None:
    [told] = [row for row in asked("show", "handbook").stdout.splitlines() if row.startswith("  evaluation ")]
    assert re.fullmatch(r"  evaluation +none \(2 questions; nDCG@10 of hybrid search [01]\.\d{3}\)", told)


def test_a_second_evaluation_knows_the_first(asked: Shell) -> None:
    first, second = asked.json("evaluate", "handbook"), asked.json("evaluate", "handbook")
    assert [len(each["trend"]) for each in (first, second)] == [1, 2]


def test_the_gates_own_evidence_stays(asked: Shell) -> None:
    before = asked.world.state.read(version_key(1, "evaluation.json"))
    asked("evaluate", "handbook")
    assert asked.world.state.read(version_key(1, "evaluation.json")) == before
    assert asked.world.state.read(version_key(1, "evaluation_again.html")) is not None


def test_a_live_collection_that_lost_objects_since_exits_three(asked: Shell) -> None:
    target = asked.world.index.alias("Handbook")
    assert target is not None
    asked.world.index.delete(CollectionName(target), [ChunkId(each) for each in asked.world.served()])
    result = asked("evaluate", "handbook", "--json")
    assert (result.exit_code, json.loads(result.stdout)["state"]) == (3, "fail")
    assert "recall@10 of hybrid search is 0.000, below the floor of 0.5" in result.stderr


def test_a_version_below_its_floor_exits_three_and_says_what(asked: Shell) -> None:
    (asked.corpora / "golden.jsonl").write_text(
        json.dumps({"question": "Trains before planes, always.", "relevant": [{"document": LEAVE, "passage": "never"}]})
    )
    result = asked("evaluate", "handbook", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["state"] == "fail"
    assert "the evaluation gate would hold version 1 back: recall@10 of hybrid search is 0.000" in result.stderr


def test_another_version_is_scored_against_what_is_live(asked: Shell) -> None:
    asked.world.put("2025/ops/travel.txt", "# Travel\n\nPlanes before trains, never.")
    asked.run()
    told = asked.json("evaluate", "handbook", "--version", "1")
    assert (told["version"], told["live"]) == (1, 2)


def test_any_two_versions_are_compared(asked: Shell) -> None:
    for said in ("Planes before trains, never.", "Trains and planes, sometimes.", "Walk."):
        asked.world.put("2025/ops/travel.txt", f"# Travel\n\n{said}")
        asked.run()
    told = asked.json("evaluate", "handbook", "--version", "2", "--against", "1")
    assert (told["version"], told["live"], told["compared"]) == (2, 1, 2)
    told = asked.json("evaluate", "handbook", "--against", "2")
    assert (told["version"], told["live"], told["measured"]) == (4, 2, "index")


def test_a_version_whose_collection_is_gone_is_compared_by_vector_and_people_are_told(asked: Shell) -> None:
    for said in ("Planes before trains, never.", "Trains and planes, sometimes.", "Walk."):
        asked.world.put("2025/ops/travel.txt", f"# Travel\n\n{said}")
        asked.run()
    told = asked("evaluate", "handbook", "--against", "1").stdout
    assert "handbook version 4: 2 questions by index, against version 1" in told
    assert "only vector search is compared: version 1 could be asked by no other" in told
    assert "only" not in asked("evaluate", "handbook", "--against", "3").stdout


def test_comparing_with_a_version_that_is_not_exits_two(asked: Shell) -> None:
    result = asked("evaluate", "handbook", "--against", "9")
    assert (result.exit_code, "version 9" in result.stderr) == (2, True)


def test_people_read_a_table_and_what_is_unknown(asked: Shell) -> None:
    told = asked("evaluate", "handbook").stdout
    assert "handbook version 1: 2 questions by index, against version 1: none" in told
    assert "nDCG@10" in told
    assert "1 answer is a document that this version does not know" in told
    assert "the page is s3://state/handbook/versions/000001/evaluation_again.html" in told


def test_people_are_told_how_many_questions_got_worse_beyond_those_listed(shell: Shell) -> None:
    lines = [json.dumps({"question": f"{n} days of leave a year, everyone?", "relevant": [LEAVE]}) for n in range(12)]
    asking(shell)
    (shell.corpora / "golden.jsonl").write_text("\n".join(lines))
    shell.run()
    target = shell.world.index.alias("Handbook")
    assert target is not None
    shell.world.index.delete(CollectionName(target), [ChunkId(each) for each in shell.world.served()])
    told = shell("evaluate", "handbook").stdout
    assert told.count("  worse by ") == 10
    assert "  and 2 questions more got worse, 12 in all" in told


def test_a_corpus_without_questions_is_told_how_to_get_some(shell: Shell) -> None:
    shell.run()
    result = shell("evaluate", "handbook")
    assert result.exit_code == 2
    assert "handbook has no golden questions: name a file of them as evaluation.questions" in result.stderr


def test_drafts_are_lines_of_a_file_of_questions(shell: Shell, tmp_path: Path) -> None:
    shell.run()
    lines = [json.loads(line) for line in shell("questions", "suggest", "handbook").stdout.splitlines()]
    assert sorted(each["relevant"] for each in lines) == [[LEAVE], [TRAVEL]]
    assert not list(shell.corpora.glob("*.jsonl"))
    assert shell.json("questions", "suggest", "handbook")["questions"] == lines
    (shell.corpora / "golden.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (shell.corpora / "handbook.yaml").write_text(CORPUS + "evaluation: {questions: ./golden.jsonl}\n")
    assert shell("evaluate", "handbook").exit_code == 0


def test_validate_reads_the_questions_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_CORPORA", str(asking(shell).corpora))
    assert shell("validate").exit_code == 0
    (shell.corpora / "golden.jsonl").write_text("{}")
    result = shell("validate", "--json")
    assert result.exit_code == 2
    assert "golden.jsonl:1: question: must be a text" in json.loads(result.stdout)["broken"][0]["reason"]
    assert shell("validate", "handbook").exit_code == 2
