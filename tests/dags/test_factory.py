from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from dags_of import write_corpus

from nightjar.errors import Misconfigured
from nightjar_dags import corpus_dags, refuse_broken

REPOSITORY = Path(__file__).parents[2]
KINDS = ("reindex", "operate", "audit", "evaluate")
FILES = ("corpora.py", "corpora_errors.py")
HEAVY = (
    "boto3",
    "great_expectations",
    "numpy",
    "pandas",
    "pyarrow",
    "sentence_transformers",
    "torch",
    "transformers",
    "unstructured",
    "weaviate",
)
PARSE = """
import json, runpy, sys
from airflow.sdk import DAG
dags = [name for name, value in runpy.run_path(sys.argv[1]).items() if isinstance(value, DAG)]
print(json.dumps({"dags": dags, "modules": sorted(sys.modules)}))
"""


@dataclass(frozen=True)
class Parse:
    """What one parse of a DAG file left behind, in a process of its own."""

    dags: list[str]
    modules: list[str]


def parsed(file: Path) -> Parse:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PARSE, str(file)],
        env=os.environ | {"NIGHTJAR_STATE": "s3://nightjar-state"},
        capture_output=True,
        text=True,
        check=True,
    )
    return Parse(**json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dags")
    (folder / "corpora.py").write_text((REPOSITORY / "dags" / "corpora.py").read_text())
    for number in range(50):
        write_corpus(folder / "corpora", f"corpus{number}", schedule="0 2 * * *", tags=["many"])
    return folder / "corpora.py"


@pytest.fixture(scope="module")
def parse(fifty: Path) -> Parse:
    return parsed(fifty)


def dags_of(*corpora: str) -> list[str]:
    return [f"{kind}_{corpus}" for corpus in corpora for kind in KINDS]


def test_fifty_corpora_have_each_kind_of_dag(parse: Parse) -> None:
    assert sorted(parse.dags) == sorted(dags_of(*(f"corpus{number}" for number in range(50))))


@pytest.mark.parametrize("module", HEAVY)
def test_a_dag_file_loads_nothing_heavy(parse: Parse, module: str) -> None:
    assert module not in parse.modules


def test_every_corpus_of_this_repository_has_its_dags() -> None:
    names = [path.stem for path in (REPOSITORY / "dags" / "corpora").glob("*.yaml")]
    assert parsed(REPOSITORY / "dags" / "corpora.py").dags == dags_of(*sorted(names))


def test_the_file_that_tells_errors_holds_no_dag() -> None:
    assert parsed(REPOSITORY / "dags" / "corpora_errors.py").dags == []


@pytest.mark.parametrize("file", FILES)
def test_airflow_recognises_the_file_by_its_words(file: str) -> None:
    text = (REPOSITORY / "dags" / file).read_text().lower()
    assert "dag" in text
    assert "airflow" in text


def test_a_broken_file_harms_no_other(tmp_path: Path) -> None:
    write_corpus(tmp_path, "good")
    write_corpus(tmp_path, "wrong", chunk={"max_token": 9})
    assert list(corpus_dags(tmp_path)) == dags_of("good")


def test_a_broken_file_is_told_with_its_line_and_the_remedy(tmp_path: Path) -> None:
    write_corpus(tmp_path, "good")
    write_corpus(tmp_path, "wrong", chunk={"max_token": 9})
    with pytest.raises(Misconfigured, match=r"wrong\.yaml:2: chunk\.max_token: .*did you mean chunk\.max_tokens"):
        refuse_broken(tmp_path)


def test_all_broken_files_are_told_at_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_corpus(tmp_path, name, schedule="whenever")
    with pytest.raises(Misconfigured, match=r"one\.yaml.*\n.*two\.yaml"):
        refuse_broken(tmp_path)


def test_nothing_is_told_where_nothing_is_wrong(tmp_path: Path) -> None:
    write_corpus(tmp_path, "good")
    refuse_broken(tmp_path)


def test_what_only_airflow_refuses_harms_no_other(tmp_path: Path) -> None:
    write_corpus(tmp_path, "good")
    write_corpus(tmp_path, "wordy", tags=["long" * 50])
    assert list(corpus_dags(tmp_path)) == dags_of("good")


def test_what_only_airflow_refuses_is_told(tmp_path: Path) -> None:
    write_corpus(tmp_path, "wordy", tags=["long" * 50])
    with pytest.raises(Misconfigured, match=r"wordy\.yaml: Airflow refuses its DAG: .*100 characters"):
        refuse_broken(tmp_path)


def test_a_corpus_with_nowhere_to_keep_versions_is_told_before_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTJAR_STATE", raising=False)
    write_corpus(tmp_path, "homeless", state=None)
    with pytest.raises(Misconfigured, match=r"homeless\.yaml: homeless: state: nowhere to keep versions"):
        refuse_broken(tmp_path)


def test_the_folder_lies_beside_the_file_that_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_corpus(tmp_path / "dags" / "ours", "handbook")
    file = tmp_path / "dags" / "mine.py"
    file.write_text("from nightjar_dags import corpus_dags  # for Airflow\nglobals().update(corpus_dags('ours'))\n")
    monkeypatch.chdir("/")
    assert parsed(file).dags == dags_of("handbook")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no such folder of corpus files"):
        corpus_dags(tmp_path / "nowhere")
