"""What Word's and PowerPoint's parts have in common: safe XML, wrappers to open, relations, diagrams."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Any, Final
from zipfile import ZipFile

from lxml import etree

A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
MC: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
DIAGRAM: Final = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_STRICT: Final = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_TRANSITIONAL: Final = rb"http://schemas.openxmlformats.org/\1/2006/"


def transitional(data: bytes) -> bytes:
    """The part in the dialect that all readers know; ISO's strict one differs in its namespaces."""
    return _STRICT.sub(_TRANSITIONAL, data)


def tree(data: bytes) -> Any:
    """The part's root; entities stay unresolved and nothing is fetched.

    Raises:
        lxml.etree.XMLSyntaxError: the part is damaged.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(transitional(data), parser=parser)


def markup(root: Any) -> bytes:
    """The reverse of `tree`."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def unwrap(node: Any) -> None:
    """Put a node's children in its place."""
    parent = node.getparent()
    at = parent.index(node)
    parent[at : at + 1] = list(node)


def drop(node: Any) -> None:
    """Take a node out, unless it went with one above it."""
    if node.getparent() is not None:
        node.getparent().remove(node)


def settle_alternatives(root: Any, *, worth: Callable[[Any], int]) -> None:
    """Of each drawing that is given in several ways keep one: the first of those with the most `worth`."""
    for wrapper in list(root.iter(f"{MC}AlternateContent")):
        branches = list(wrapper)
        best = max(branches, key=worth, default=None)
        for branch in branches:
            if branch is best:
                unwrap(branch)
            else:
                drop(branch)
        unwrap(wrapper)


def diagram_lines(archive: ZipFile, part: str, relation: str) -> list[str]:
    """The texts of a SmartArt diagram that `part` names by a relation; none where it is missing or damaged."""
    folder, _, name = part.rpartition("/")
    try:
        relations = tree(archive.read(f"{folder}/_rels/{name}.rels"))
        target = next(str(each.get("Target")) for each in relations if each.get("Id") == relation)
        points = tree(archive.read(posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")))
    except (KeyError, StopIteration, etree.XMLSyntaxError):
        return []
    lines = ("".join(text.text or "" for text in paragraph.iter(f"{A}t")) for paragraph in points.iter(f"{A}p"))
    return [line for line in lines if line.strip()]
