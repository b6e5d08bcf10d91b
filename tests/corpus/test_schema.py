import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from nightjar.corpus import Corpus, commented_file, json_schema, load_corpus

SOURCE = "s3://documents/handbook/"


def uncommented(text: str) -> str:
    """What remains when the `# ` before every key is removed."""
    return re.sub(r"^( *)# ( *[a-z_]+:( |$))", r"\1\2", text, flags=re.MULTILINE)


def with_key(section: str, key: str, value: Any) -> dict[str, Any]:
    base: dict[str, dict[str, Any]] = {"source": {"uri": SOURCE}}
    return {**base, section: {**base.get(section, {}), key: value}}


@cache
def schema_validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def is_loaded(values: dict[str, Any]) -> bool:
    try:
        Corpus.model_validate(values)
    except ValidationError:
        return False
    return True


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
        ({"source": {"uri": SOURCE, "include": []}}, False),
        ({"source": {"uri": SOURCE, "exclude": []}}, True),
        ({"source": {"uri": "s3://BAD_bucket/x"}}, False),
        ({"source": {"uri": "s3://documents"}}, True),
        *(
            ({"source": {"uri": SOURCE}, "state": uri}, False)
            for uri in ("s3://BAD_b/", "s3://b/", "s3://k:s@b2/", "x")
        ),
        *((with_key("index", "alias", name), False) for name in ("handbook", "Hand-book", "Handbook_b0003", "")),
        *((with_key("index", "alias", name), True) for name in ("Handbook", "Hand_book2", "H_b", None)),
        *((with_key("quality", "max_rejected_share", share), False) for share in ("150%", "101 %", "100.5%", 1.5, -1)),
        *((with_key("quality", "max_rejected_share", share), True) for share in ("100%", "100.0 %", "099.9%", "0%", 1)),
        *((with_key("metadata", "fields", {name: "int"}), False) for name in ("Year", "a-b", "title", "a_temp")),
        *((with_key("metadata", "fields", {name: "int"}), True) for name in ("year", "dateOfBirth_2")),
        *((with_key("metadata", "fixed", {name: 1}), False) for name in ("Year", "a-b", "title", "a_temp")),
        *((with_key("parse", "timeout", time), False) for time in ("0s", "0.0 h", "90")),
        *((with_key("parse", "timeout", time), True) for time in ("1s", "1000ms", "0.5h", "2h")),
        *((with_key("parse", "memory", size), False) for size in ("0GiB", "1B", "99999kB", "99MB")),
        *((with_key("parse", "memory", size), True) for size in ("536870912B", "524288KiB", "512MiB", "0.5GiB")),
        *((with_key("source", "max_size", size), False) for size in ("0kB", "999B")),
        *((with_key("source", "max_size", size), True) for size in ("1000B", "1kB", "0.001MB")),
    ],
)
def test_the_schema_agrees_with_the_loader(values: dict[str, Any], *, valid: bool) -> None:
    assert schema_validator().is_valid(values) is valid
    assert is_loaded(values) is valid


def test_the_schemas_defaults_are_what_it_accepts() -> None:
    def defaults(section: dict[str, Any]) -> dict[str, Any]:
        return {key: told["default"] for key, told in section["properties"].items() if "default" in told}

    schema = json_schema()
    named = {key: told["$ref"].removeprefix("#/$defs/") for key, told in schema["properties"].items() if "$ref" in told}
    values = {key: defaults(schema["$defs"][section]) for key, section in named.items()}
    values["source"]["uri"] = SOURCE
    assert (values["parse"]["timeout"], values["parse"]["memory"]) == ("120s", "2GiB")
    schema_validator().validate(values)


def test_reading_corpus_files_loads_no_heavy_library() -> None:
    heavy = "{'numpy', 'pyarrow', 'pandas', 'boto3', 'weaviate', 'torch', 'great_expectations'}"
    code = f"import sys, nightjar.corpus, nightjar.settings; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
