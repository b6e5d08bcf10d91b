"""YAML that people wrote, read without surprises: no duplicate keys, no aliases, no objects, and with line numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from nightjar.errors import Misconfigured

_LARGEST: Final = 256 * 1024
_DEEPEST: Final = 12
_ACCESS_KEY: Final = re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b")

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What a file says, and on which line each key stands (from 1)."""

    path: Path
    values: dict[str, object]
    lines: dict[Loc, int]

    def where(self, loc: Loc) -> str:
        """`handbook.yaml:7: chunk.max_token`, with the nearest line that is known."""
        known = next((self.lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in self.lines), None)
        line = f":{known}" if known is not None else ""
        dotted = ".".join(str(part) for part in loc)
        return f"{self.path.name}{line}: {dotted}" if dotted else f"{self.path.name}{line}"

    def at(self, loc: Loc) -> object:
        """What stands there; None where nothing does."""
        found: object = self.values
        for part in loc:
            if isinstance(found, dict):
                found = found.get(part)
            elif isinstance(found, list) and isinstance(part, int):
                found = found[part]
            else:
                return None
        return found


def read_yaml(path: Path) -> Written:
    """One mapping from a file.

    Raises:
        Misconfigured: not there, not UTF-8, no YAML, no mapping, a key twice, an alias, or what looks like a secret.
    """
    text = _text(path)
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        values = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise Misconfigured(f"{path.name}{line}: is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Misconfigured(f"{path.name}: is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(node, MappingNode) or not isinstance(values, dict):
        raise Misconfigured(f"{path.name}: must hold keys and values, at least source: {{uri: s3://bucket/folder/}}")
    return Written(path, values, dict(_lines(node, (), path)))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if len(data) > _LARGEST:
        raise Misconfigured(f"{path.name}: is larger than {_LARGEST // 1024} KiB; is this a corpus file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path.name}: is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    if _ACCESS_KEY.search(text):
        raise Misconfigured(f"{path.name}: holds an AWS access key; remove it and use connections or AWS_* variables")
    _refuse_aliases(text, path)
    return text


def _refuse_aliases(text: str, path: Path) -> None:
    """Before composing: an alias may stand for millions of values (the "billion laughs")."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise Misconfigured(f"{path.name}: *{event.anchor}: write the value out; aliases are refused")
            if depth > _DEEPEST:
                raise Misconfigured(f"{path.name}: is nested too deep for a corpus file; is this one?")
    except yaml.YAMLError:
        return  # composing will say it with more words


def _lines(node: Node, loc: Loc, path: Path) -> Iterator[tuple[Loc, int]]:
    """Each key's place and line.

    Raises:
        Misconfigured: a key that stands twice in one mapping.
    """
    if isinstance(node, MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = _key(key, path), key.start_mark.line + 1
            if name in seen:
                dotted = ".".join(map(str, (*loc, name)))
                raise Misconfigured(
                    f"{path.name}:{line}: {dotted}: stands on line {seen[name]} already; remove one of them"
                )
            seen[name] = line
            yield (*loc, name), line
            yield from _lines(value, (*loc, name), path)
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            yield (*loc, number), value.start_mark.line + 1
            yield from _lines(value, (*loc, number), path)


def _key(node: Node, path: Path) -> str:
    if isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:str":
        return str(node.value)
    written = node.value if isinstance(node, ScalarNode) else "a list or mapping"
    raise Misconfigured(
        f"{path.name}:{node.start_mark.line + 1}: {written}: keys are words; put it in quotes if it is meant"
    )
