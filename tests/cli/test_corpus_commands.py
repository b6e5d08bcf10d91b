import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nightjar.cli.corpus_commands import init, schema, validate
from nightjar.errors import Misconfigured


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIGHTJAR_CORPORA", str(tmp_path / "corpora"))
    monkeypatch.setenv("NIGHTJAR_STATE", "s3://state/")
    return tmp_path / "corpora"


def test_init_writes_a_file_that_validates(corpora: Path) -> None:
    made = CliRunner().invoke(init, ["handbook", "--source", "s3://documents/handbook"])
    assert made.exit_code == 0
    checked = CliRunner().invoke(validate, ["--json"])
    assert json.loads(checked.stdout)["valid"] == [
        {
            "name": "handbook",
            "source": "s3://documents/handbook/",
            "state": "s3://state/handbook/",
            "alias": "Handbook",
        }
    ]


def test_init_never_overwrites(corpora: Path) -> None:
    corpora.mkdir()
    (corpora / "handbook.yaml").write_text("mine")
    result = CliRunner().invoke(init, ["handbook", "--source", "s3://documents/"])
    assert isinstance(result.exception, Misconfigured)
    assert (corpora / "handbook.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "source"), [("Handbook", "s3://documents/"), ("../x", "s3://documents/"), ("x", "documents")]
)
def test_init_refuses_what_would_not_load(corpora: Path, name: str, source: str) -> None:
    result = CliRunner().invoke(init, [name, "--source", source])
    assert isinstance(result.exception, Misconfigured)
    assert not list(corpora.parent.rglob("*.yaml"))


def test_validate_names_every_wrong_file(corpora: Path) -> None:
    corpora.mkdir()
    (corpora / "a.yaml").write_text("x: 1")
    (corpora / "b.yaml").write_text("source: {uri: s3://documents/b/}")
    result = CliRunner().invoke(validate)
    assert "wrong  a.yaml:1: x: unknown key" in result.stdout
    assert "ok     b: s3://documents/b/ → B" in result.stdout
    assert isinstance(result.exception, Misconfigured)


def test_schema_prints_json() -> None:
    assert json.loads(CliRunner().invoke(schema).stdout)["title"] == "Nightjar corpus file"
