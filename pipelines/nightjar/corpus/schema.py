"""The corpus file explained twice from one source: as JSON Schema for editors, as a commented file for people."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from pydantic import JsonValue
from pydantic.fields import FieldInfo

from nightjar.corpus.model import Corpus
from nightjar.corpus.section import Section

_WIDTH: Final = 110
_HEADER: Final = """\
# A corpus: documents in S3 that become one searchable index.
# Commented keys show their defaults: remove the `# ` before those you want to change.
# Editors complete this file with the output of `nightjar schema`; `nightjar validate` checks it.
"""


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a corpus file, with a description for every key."""
    schema = Corpus.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Nightjar corpus file"}


def commented_file(source: str) -> str:
    """A corpus file for documents in `source`, with every other key explained and commented out."""
    return _HEADER + "\n".join(_section(Corpus, {"source": {"uri": source}})) + "\n"


def _section(section: type[Section], chosen: dict[str, Any] | None) -> Iterator[str]:
    """Lines of one section; keys that nobody chose are commented out, where None chooses all."""
    for name, field in section.model_fields.items():
        if name == "name":  # the file's own stem
            continue
        if section is Corpus:
            yield ""
        yield from textwrap.wrap(field.description or "", _WIDTH, initial_indent="# ", subsequent_indent="# ")
        lines = _key(name, field, chosen)
        yield from lines if chosen is None or name in chosen else (f"# {line}" for line in lines)


def _key(name: str, field: FieldInfo, chosen: dict[str, Any] | None) -> Iterator[str]:
    """One key with its value, or with the keys of its own section below it."""
    given = chosen.get(name) if chosen is not None else None
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
        yield f"{name}:"
        yield from (f"  {line}" for line in _section(field.annotation, given))
    else:
        yield f"{name}: {json.dumps(given, ensure_ascii=False) if given is not None else _default(name, field)}"


def _default(name: str, field: FieldInfo) -> str:
    """The default as a corpus file would write it."""
    owner = next(s for s in _sections(Corpus) if s.model_fields.get(name) is field)
    plain: JsonValue = owner.__pydantic_serializer__.to_python(
        owner.model_construct(**{name: field.get_default(call_default_factory=True)}), mode="json", include={name}
    )[name]
    return json.dumps(plain, ensure_ascii=False)


def _sections(section: type[Section]) -> Iterator[type[Section]]:
    yield section
    for field in section.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _sections(field.annotation)
