"""HTML through unstructured, XML by its own structure; neither follows a link, an entity or an include."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lxml import etree
from lxml import html as lxml_html
from unstructured.partition.html import partition_html

from nightjar.adapters.parser.charset import decode
from nightjar.adapters.parser.drafts import Draft, from_unstructured
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.errors import Code
from nightjar.model import Element

_NO_LANGUAGE: Final = [""]  # unstructured's word for: detect nothing
_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]*\?>")
_SILENT: Final = ("script", "style", "noscript", "template", "nav", "svg", "iframe", "object", "head")
_LEFT_OUT: Final = ("form", "figure", "figcaption", "details", "summary")
"""What unstructured leaves out with all that stands in it, and what browsers show."""
_MARK: Final = "\ufeff"  # has no width, and cleaning takes it out of every text
_MENU_ITEMS: Final = 24
_MENU_WORD: Final = 20
_SHORT: Final = 120
_INLINE_TAGS: Final = """
    a abbr b bdi bdo big cite code del dfn em font i ins kbd label mark q s samp small span strike strong sub sup time
    tt u var wbr
"""
_INLINE: Final = frozenset(_INLINE_TAGS.split())
_PAGE: Final = re.compile(r"</(?:a|b|div|em|h\d|i|li|p|span|strong|table)>|<br\s*/?>", re.IGNORECASE)
_HEADINGS: Final = {"title", "heading", "article-title", "subtitle", "invention-title"}


def read_html(paper: Paper) -> Draft:
    """The body's elements; the title from <title>."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset, markup=True)
    return html_draft(text, charset=charset)


def html_draft(text: str, *, charset: str = "") -> Draft:
    """HTML text as a draft."""
    root = _tree(text)
    if root is None:
        return Draft([], charset=charset)
    named = root.findtext(".//title") or ""
    return Draft(_elements(root), title=" ".join(named.split()), charset=charset)


def elements_of_markup(text: str) -> list[Element]:
    """The elements of a piece of HTML."""
    root = _tree(text)
    return [] if root is None else _elements(root)


def _tree(text: str) -> Any:
    bare = _DECLARATION.sub("", text).replace("\x00", "")
    if not bare.strip():
        return None
    try:
        parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
        return lxml_html.document_fromstring(bare.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing but comments
        return None


def _elements(root: Any) -> list[Element]:
    navigation = [*root.xpath("//*[@role='navigation']"), *filter(_is_link_list, root.iter("ul", "ol"))]
    for silent in [*root.xpath("|".join(f"//{tag}" for tag in _SILENT)), *navigation]:
        if silent.getparent() is not None:
            silent.drop_tree()
    for cell in list(root.iter("td", "th")):
        _flatten(cell)
    _keep_what_people_see(root)
    _keep_lone_letters(root)
    markup = lxml_html.tostring(root, encoding="unicode")
    return from_unstructured(partition_html(text=markup, languages=_NO_LANGUAGE), headings=False)


def _keep_what_people_see(root: Any) -> None:
    """As plain blocks, which unstructured takes; <main> alone counts, unless the page's heading stands outside."""
    for node in root.iter(*_LEFT_OUT):
        node.tag = "div"
    for node in root.iter("label"):
        node.tag = "span"
    for formula in list(root.iter("math")):
        if not formula.get("alttext") and next(formula.iter("annotation"), None) is None:
            _make_words(formula)
    for caption in list(root.iter("caption")):
        table, text = caption.getparent(), "".join(caption.itertext())
        caption.drop_tree()
        if table.tag == "table" and text.strip():
            above = etree.Element("p")
            above.text = text
            table.addprevious(above)
    if any(next(heading.iterancestors("main"), None) is None for heading in root.iter("h1")):
        for node in root.iter("main"):
            node.tag = "div"


def _make_words(formula: Any) -> None:
    """A formula that names itself in no other notation as the letters that are shown, in the text where it stands."""
    text, tail = "".join("".join(formula.itertext(with_tail=False)).split()), formula.tail
    formula.clear()
    formula.tag, formula.text, formula.tail = "span", text, tail


def _keep_lone_letters(root: Any) -> None:
    """Unstructured drops a block of a single character: a second one saves those that are no punctuation."""
    for node in root.iter():
        if _is_lone_letter(node.text):
            node.text += _MARK
        if _is_lone_letter(node.tail):
            node.tail += _MARK


def _is_lone_letter(text: str | None) -> bool:
    bare = text.strip() if text else ""
    return len(bare) == 1 and bare.isalnum()


def _flatten(cell: Any) -> None:
    """A table's cell as one text: unstructured parts words at every tag, also within a word, as in H<sub>2</sub>O."""
    parts = [cell.text or ""]
    for event, node in etree.iterwalk(cell, events=("start", "end")):
        if node is not cell:
            parts.append("" if node.tag in _INLINE else " ")
            parts.append((node.text if event == "start" else node.tail) or "")
    for child in list(cell):
        cell.remove(child)
    cell.text = "".join(parts)


def _is_link_list(node: Any) -> bool:
    """Dozens of items of a word or two, each nothing but a link: languages, categories, a site's menu."""
    items = node.findall("./li")
    text = "".join(node.text_content().split())
    linked = "".join("".join("".join(link.itertext()).split()) for link in node.iter("a"))
    return len(items) >= _MENU_ITEMS and len(text) <= len(items) * _MENU_WORD and len(linked) >= len(text) * 0.9


def read_xml(paper: Paper) -> Draft:
    """Running text as paragraphs, short values as `name: value` lines by their parent."""
    data = Path(paper.path).read_bytes()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser=parser)
    except etree.XMLSyntaxError as broken:
        raise Refused(Code.CORRUPT, "The file is not well-formed XML.") from broken
    charset = (root.getroottree().docinfo.encoding or "utf-8").lower()
    elements = list(_xml_blocks(root, 0))
    first = next((each.text for each in elements if each.kind == "Title" and each.depth is not None), "")
    return Draft(elements, title=first, charset=charset)


def _xml_blocks(node: Any, depth: int) -> Iterator[Element]:
    if _is_running(node):
        yield from _xml_passage(node, depth)
        return
    values: list[str] = []
    for child in node:
        if not isinstance(child.tag, str):
            continue
        if _is_value(child):
            values.append(f"{_name(child)}: {' '.join(child.text.split())}")
            continue
        if values:
            yield Element("Text", "\n".join(values))
            values = []
        yield from _xml_blocks(child, depth + 1)
    if values:
        yield Element("Text", "\n".join(values))


def _is_running(node: Any) -> bool:
    own = [node.text, *(child.tail for child in node)]
    return any(text and text.strip() for text in own)


def _is_value(node: Any) -> bool:
    return (
        len(node) == 0
        and bool(node.text and node.text.strip())
        and len(node.text) < _SHORT
        and _name(node) not in _HEADINGS
        and not _PAGE.search(node.text)
    )


def _xml_passage(node: Any, depth: int) -> Iterator[Element]:
    """Running text, or the elements of a page that stands there as text, as feeds carry them."""
    written = "".join(node.itertext())
    text = " ".join(written.split())
    if _PAGE.search(written):
        for element in elements_of_markup(written):
            yield replace(element, depth=None)
    elif _name(node) in _HEADINGS and len(text) < _SHORT * 2:
        yield Element("Title", text, depth=min(depth, 6))
    else:
        yield Element("NarrativeText", text)


def _name(node: Any) -> str:
    return str(etree.QName(node).localname)
