"""A Word body in which every word stands in a paragraph of the body: what python-docx passes over is moved there.

Insertions are taken as accepted and deletions as done; content controls are opened (a placeholder and a generated
table of contents are not content); text boxes, diagrams and notes follow the paragraph that holds or cites them;
formulas become a line of text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any, Final
from zipfile import ZipFile

from lxml import etree

from nightjar.adapters.parser.ooxml_parts import (
    DIAGRAM,
    R,
    diagram_lines,
    drop,
    markup,
    settle_alternatives,
    tree,
    unwrap,
)

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_HIDDEN: Final = re.compile(
    rb"<(?:\w+:)?(?:ins|moveTo|smartTag|customXml|sdt|txbxContent|footnoteReference|endnoteReference|oMath|relIds)\b"
)
_GONE: Final = tuple(f"{_W}{name}" for name in ("del", "moveFrom", "sdtPr", "sdtEndPr", "smartTagPr", "customXmlPr"))
_WRAPPERS: Final = (
    f"{_M}oMathPara",
    *(f"{_W}{name}" for name in ("ins", "moveTo", "smartTag", "customXml", "sdt", "sdtContent")),
)
_NOTES: Final = {f"{_W}footnoteReference": "footnote", f"{_W}endnoteReference": "endnote"}
_SIGNS: Final = {f"{_M}den": "/", f"{_M}sup": "^", f"{_M}sub": "_"}


def plain_body(archive: ZipFile, part: str, data: bytes) -> bytes:
    """The body's markup, changed only where something lies out of reach."""
    if not _HIDDEN.search(data):
        return data
    root = _opened(tree(data))
    notes = {name: _notes(archive, part, name) for name in _NOTES.values()}
    followers: dict[Any, Any] = {}
    for node in list(root.iter(f"{_W}txbxContent", DIAGRAM, *_NOTES)):
        holder = next(node.iterancestors(f"{_W}p"), None)
        if holder is not None:
            followers[holder] = _placed(followers.get(holder, holder), _blocks(archive, part, node, notes))
    return markup(root)


def _opened(root: Any) -> Any:
    settle_alternatives(root, worth=lambda branch: int(bool(branch.xpath("boolean(.//*[local-name()='t'])"))))
    for control in list(root.iter(f"{_W}sdt")):
        if _is_no_content(control):
            drop(control)
    for node in list(root.iter(*_GONE)):
        drop(node)
    for node in list(root.iter(*_WRAPPERS)):
        unwrap(node)
    for formula in list(root.iter(f"{_M}oMath")):
        formula.getparent().replace(formula, _run(f" {''.join(_linear(formula))} "))
    return root


def _is_no_content(control: Any) -> bool:
    about = control.find(f"{_W}sdtPr")
    if about is None:
        return False
    gallery = about.find(f"{_W}docPartObj/{_W}docPartGallery")
    listed = gallery is not None and gallery.get(f"{_W}val") == "Table of Contents"
    return listed or about.find(f"{_W}showingPlcHdr") is not None


def _linear(formula: Any) -> Iterator[str]:
    for node in formula.iter():
        yield (node.text or "") if node.tag == f"{_M}t" else _SIGNS.get(node.tag, "")


def _notes(archive: ZipFile, part: str, name: str) -> dict[str, Any]:
    """Notes by their id; separators are notes too, but nobody cites them."""
    folder = part.rpartition("/")[0]
    try:
        root = _opened(tree(archive.read(f"{folder}/{name}s.xml")))
    except (KeyError, etree.XMLSyntaxError):  # none, or damaged: no reason to lose the body
        return {}
    for link in list(root.iter(f"{_W}hyperlink")):  # its relation belongs to the notes' own part
        unwrap(link)
    for picture in list(root.iter(f"{_W}drawing", f"{_W}pict", f"{_W}object")):
        drop(picture)
    return {str(note.get(f"{_W}id")): note for note in root.iter(f"{_W}{name}")}


def _blocks(archive: ZipFile, part: str, node: Any, notes: dict[str, dict[str, Any]]) -> list[Any]:
    """The paragraphs and tables that a text box, a diagram or a reference stands for."""
    if node.tag in _NOTES:
        note = notes[_NOTES[node.tag]].get(str(node.get(f"{_W}id")))
        return [deepcopy(block) for block in note] if note is not None else []
    if node.tag == DIAGRAM:
        return [_paragraph(line) for line in diagram_lines(archive, part, node.get(f"{R}dm", ""))]
    drop(node)
    return list(node)


def _placed(after: Any, blocks: Iterable[Any]) -> Any:
    """Put `blocks` behind a node; returns the last of them."""
    for block in blocks:
        after.addnext(block)
        after = block
    return after


def _run(text: str) -> Any:
    run = etree.Element(f"{_W}r")
    etree.SubElement(run, f"{_W}t").text = text
    return run


def _paragraph(text: str) -> Any:
    paragraph = etree.Element(f"{_W}p")
    paragraph.append(_run(text))
    return paragraph
