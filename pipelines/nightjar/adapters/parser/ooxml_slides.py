"""A slide whose every word python-pptx can reach: of alternative drawings one, diagrams as text boxes."""

from __future__ import annotations

import re
from typing import Any, Final
from zipfile import ZipFile

from lxml import etree

from nightjar.adapters.parser.ooxml_parts import DIAGRAM, A, R, diagram_lines, markup, settle_alternatives, tree

_P: Final = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_WRAPPED: Final = re.compile(rb"<(?:\w+:)?(?:AlternateContent|relIds)\b")


def plain_slide(archive: ZipFile, part: str, data: bytes) -> bytes:
    """The slide's markup, changed only where something lies out of reach."""
    if not _WRAPPED.search(data):
        return data
    root = tree(data)
    settle_alternatives(root, worth=_letters)
    for diagram in list(root.iter(DIAGRAM)):
        frame = next(diagram.iterancestors(f"{_P}graphicFrame"), None)
        lines = diagram_lines(archive, part, diagram.get(f"{R}dm", ""))
        if frame is not None and lines:
            frame.getparent().replace(frame, _text_box(frame, lines))
    return markup(root)


def _letters(node: Any) -> int:
    return sum(len(text.text or "") for text in node.iter(f"{A}t"))


def _text_box(frame: Any, lines: list[str]) -> Any:
    """A shape at the frame's place with a paragraph for each line."""
    shape = etree.Element(f"{_P}sp")
    about = etree.SubElement(shape, f"{_P}nvSpPr")
    etree.SubElement(about, f"{_P}cNvPr", id="0", name="")
    etree.SubElement(about, f"{_P}cNvSpPr", txBox="1")
    etree.SubElement(about, f"{_P}nvPr")
    place = etree.SubElement(etree.SubElement(shape, f"{_P}spPr"), f"{A}xfrm")
    place.extend(list(frame.find(f"{_P}xfrm") if frame.find(f"{_P}xfrm") is not None else ()))
    body = etree.SubElement(shape, f"{_P}txBody")
    etree.SubElement(body, f"{A}bodyPr")
    for line in lines:
        run = etree.SubElement(etree.SubElement(body, f"{A}p"), f"{A}r")
        etree.SubElement(run, f"{A}t").text = line
    return shape
