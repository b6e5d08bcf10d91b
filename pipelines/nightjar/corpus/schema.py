"""The corpus file explained twice from one source: as JSON Schema for editors, as a commented file for people."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo

from nightjar.corpus.model import Corpus
from nightjar.corpus.section import Section

Chosen = dict[str, "Chosen | None"]

_WIDTH: Final = 110
_HEADER: Final = """\
# A corpus: documents in S3 that become one searchable index.
# Commented keys show their defaults: remove the `# ` before those you want to change.
# Editors complete this file with the output of `nightjar schema`; `nightjar validate` checks it.
"""


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a corpus file, with a description for every key."""
    schema = Corpus.model_json_schema(mode="validation")
    values: dict[str, Any] = Corpus.model_validate({"source": {"uri": "s3://documents/"}}).resolved()
    for name, told in schema["properties"].items():
        if "$ref" in told:
            section = schema["$defs"][told["$ref"].rpartition("/")[2]]
            _write_defaults(section["properties"], values[name])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Nightjar corpus file"}


def _write_defaults(properties: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Defaults as people write them: pydantic puts bytes and ISO durations there."""
    for name, described in properties.items():
        if "default" in described:
            described["default"] = values[name]


def commented_file(source: str) -> str:
    """A corpus file for documents in `source`, with every other key explained and commented out."""
    chosen: Chosen = {"source": {"uri": None}}
    values = Corpus.model_validate({"source": {"uri": source}}).resolved()
    return _HEADER + "\n".join(_section(Corpus, values, chosen)) + "\n"


def _section(section: type[Section], values: dict[str, Any], chosen: Chosen | None) -> Iterator[str]:
    """Lines of one section; keys that nobody chose are commented out, where None chooses all."""
    for name, field in section.model_fields.items():
        if name == "name":  # the file's own stem
            continue
        if section is Corpus:
            yield ""
        yield from textwrap.wrap(field.description or "", _WIDTH, initial_indent="# ", subsequent_indent="# ")
        lines = _key(name, field, values[name], chosen and chosen.get(name))
        yield from lines if chosen is None or name in chosen else (f"# {line}" for line in lines)


def _key(name: str, field: FieldInfo, value: Any, chosen: Chosen | None) -> Iterator[str]:
    """One key with its value, or with the keys of its own section below it."""
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
        yield f"{name}:"
        yield from (f"  {line}" for line in _section(field.annotation, value, chosen))
    else:
        yield f"{name}: {json.dumps(value, ensure_ascii=False)}"
