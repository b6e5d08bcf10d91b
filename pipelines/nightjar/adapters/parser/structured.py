"""JSON and notebooks: values beside the path that names them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from nightjar.adapters.parser.charset import decode
from nightjar.adapters.parser.drafts import Draft
from nightjar.adapters.parser.jobs import Paper
from nightjar.adapters.parser.markdown import markdown_elements
from nightjar.adapters.parser.plain import paragraphs
from nightjar.model import Element

_LONG: Final = 400
_SOLID: Final = re.compile(r"\S")


def read_json(paper: Paper) -> Draft:
    """Each object's own values as `path: value` lines; what is no JSON, or nested beyond reason, is read as text."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset)
    try:
        elements = [element for value in json_values(text) for element in _objects(value, "")]
    except (ValueError, RecursionError):
        elements = list(paragraphs(text))
    return Draft(elements, charset=charset)


def json_values(text: str) -> Iterator[Any]:
    """The value of a JSON file, or the values of JSON Lines.

    Raises:
        ValueError: it is neither.
    """
    decoder = json.JSONDecoder()
    at = 0
    while start := _SOLID.search(text, at):
        value, at = decoder.raw_decode(text, start.start())
        yield value


def _objects(value: Any, path: str) -> Iterator[Element]:
    members = _members(value, path)
    if members is None:
        yield Element("Text", f"{path}: {_written(value)}" if path else _written(value))
        return
    lines = [(name, inner) for name, inner in members if not isinstance(inner, (dict, list))]
    short = [f"{name}: {_written(inner)}" for name, inner in lines if len(_written(inner)) <= _LONG]
    if short:
        yield Element("Text", "\n".join(short))
    for name, inner in lines:
        if len(_written(inner)) > _LONG:
            yield Element("NarrativeText", f"{name}: {_written(inner)}")
    for name, inner in members:
        if isinstance(inner, (dict, list)):
            yield from _objects(inner, name)


def _members(value: Any, path: str) -> list[tuple[str, Any]] | None:
    if isinstance(value, dict):
        return [(f"{path}.{name}" if path else str(name), inner) for name, inner in value.items()]
    if isinstance(value, list):
        return [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
    return None


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def read_notebook(paper: Paper) -> Draft:
    """Markdown cells as Markdown, code cells as code, textual outputs as text."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset)
    cells = json.loads(text)["cells"]
    return Draft([element for cell in cells for element in _cell(cell)], charset=charset)


def _cell(cell: Any) -> Iterator[Element]:
    source = "".join(cell.get("source", ""))
    if cell.get("cell_type") == "markdown":
        yield from markdown_elements(source)
    elif cell.get("cell_type") == "code":
        yield Element("CodeSnippet", source)
        for output in cell.get("outputs", ()):
            yield Element("CodeSnippet", "".join(output.get("text") or output.get("data", {}).get("text/plain", "")))
