import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nightjar.corpus import commented_file, json_schema, load_corpus

SOURCE = "s3://documents/handbook/"


def uncommented(text: str) -> str:
    """What remains when the `# ` before every key is removed."""
    return re.sub(r"^( *)# ( *[a-z_]+:( |$))", r"\1\2", text, flags=re.MULTILINE)


def test_the_commented_file_says_nothing_but_its_source() -> None:
    assert yaml.safe_load(commented_file(SOURCE)) == {"source": {"uri": SOURCE}}


def test_the_commented_file_with_its_comments_removed_says_the_defaults(tmp_path: Path) -> None:
    short, long = tmp_path / "a" / "handbook.yaml", tmp_path / "b" / "handbook.yaml"
    for path, text in ((short, commented_file(SOURCE)), (long, uncommented(commented_file(SOURCE)))):
        path.parent.mkdir()
        path.write_text(text)
    assert len(yaml.safe_load(long.read_text())) > 15
    assert load_corpus(long, default_state=None) == load_corpus(short, default_state=None)


def test_every_key_of_the_schema_is_described() -> None:
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    keys = [(name, key) for section in sections for name, key in section.get("properties", {}).items()]
    described = {f"#/$defs/{name}" for name, section in schema["$defs"].items() if section.get("description")}
    assert [name for name, key in keys if not key.get("description") and key.get("$ref") not in described] == []


@pytest.mark.parametrize(
    ("values", "valid"),
    [
        ({"source": {"uri": SOURCE}}, True),
        ({"source": {"uri": SOURCE}, "parse": {"timeout": "90s"}, "quality": {"max_rejected_share": "5%"}}, True),
        ({"source": {"uri": SOURCE}, "schedule": {"assets": ["a"]}, "metadata": {"fixed": {"a": ["b"]}}}, True),
        ({}, False),
        ({"source": {"uri": SOURCE}, "chunk": {"max_token": 3}}, False),
        ({"source": {"uri": SOURCE}, "parse": {"timeout": 90}}, False),
    ],
)
def test_the_schema_agrees_with_the_loader(values: dict[str, Any], *, valid: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(values) is valid


def test_reading_corpus_files_loads_no_heavy_library() -> None:
    heavy = "{'numpy', 'pyarrow', 'pandas', 'boto3', 'weaviate', 'torch', 'great_expectations'}"
    code = f"import sys, nightjar.corpus, nightjar.settings; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
