"""What readers hand back, and how text is cleaned and tables are written: in one way for every format."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Final

from nightjar.model import Element

_UNWANTED: Final = {"Header", "Footer", "PageBreak", "PageNumber"}
_KINDS: Final = {
    "UncategorizedText": "Text",
    "FigureCaption": "NarrativeText",
    "EmailAddress": "Text",
    "Address": "Text",
    "Image": "Text",
}
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\ufeff]")
_SPACES: Final = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u3000]+")
_LONGEST_TITLE: Final = 300
_MOST_TITLE_ROWS: Final = 3
_BEGINNING: Final = 8  # elements
_LEFT_OVER: Final = re.compile(
    r"microsoft word - .*|untitled.*|(?:microsoft )?powerpoint\b.*|no slide title|\(?(?:anonymous|unspecified)\)?"
    r"|(?:document|presentation|slide|workbook|book|sheet|tabelle|feuil|hoja|foglio)\s*\d*|[\W\d_]*"
    r"|\S+\.(?:docx?|dvi|fm|html?|indd|jpe?g|od[pst]|p65|pdf|png|pptx?|ps|qxd|rtf|tex|tiff?|txt|xlsx?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A reader's yield before cleaning: elements, the title that the format names, charset, what was left out."""

    elements: Sequence[Element]
    title: str = ""
    charset: str = ""
    notes: tuple[str, ...] = field(default=())


def table(rows: Iterable[Sequence[str]], *, page: int | None = None, depth: int | None = None) -> list[Element]:
    """A Table whose text is a row a line, cells between bars, header first; none when every cell is empty.

    Rows of one cell above the first of several are no header and stand before the table: the first as its Title, at
    `depth`.
    """
    kept = [[_cell(cell) for cell in row] for row in rows]
    kept = [row for row in kept if any(row)]
    header = _header(kept)
    above = ["".join(row) for row in kept[:header]]
    return [*_caption(above, page=page, depth=depth), *_headed(kept[header:], page=page)]


def _header(rows: Sequence[Sequence[str]]) -> int:
    """Where the first row of several cells is, unless what stands above it is too much for a title."""
    several = next((at for at, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)
    return several if several <= _MOST_TITLE_ROWS else 0


def _caption(above: Sequence[str], *, page: int | None, depth: int | None) -> list[Element]:
    title = [Element("Title", text, page=page, depth=depth) for text in above[:1]]
    return [*title, *(Element("Text", text, page=page) for text in above[1:])]


def _headed(rows: Sequence[Sequence[str]], *, page: int | None) -> list[Element]:
    if not rows:
        return []
    width = max(len(row) - next((i for i, cell in enumerate(reversed(row)) if cell), len(row)) for row in rows)
    columns = [i for i in range(width) if any(i < len(row) and row[i] for row in rows)]
    even = [[row[i] if i < len(row) else "" for i in columns] for row in rows]
    text = "\n".join(_trimmed(row) for row in even)
    return [Element("Table", text, page=page, table_html=_markup(even))]


def _trimmed(row: Sequence[str]) -> str:
    return " | ".join(row).rstrip(" |").lstrip() or ""


def _cell(text: str) -> str:
    return " ".join(clean(text).split())


def _markup(rows: Sequence[Sequence[str]]) -> str:
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def clean(text: str) -> str:
    """NFC without NULs, lone surrogates and control characters but line feed and tab."""
    return _CONTROLS.sub(
        "", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\x0b", "\n").replace("\x0c", "\n"))
    )


def one_line(text: str) -> str:
    """For titles: white space folded, bounded."""
    return " ".join(clean(text).split())[:_LONGEST_TITLE]


def given_title(text: str) -> str:
    """A title on one line; '' for what programs write where nobody gave one, and for file names."""
    title = one_line(text)
    return "" if _LEFT_OVER.fullmatch(title) else title


def tidy(elements: Iterable[Element]) -> tuple[Element, ...]:
    """Cleaned elements; those that come out blank are left out."""
    return tuple(element for raw in elements if (element := _tidied(raw)).text)


def _tidied(element: Element) -> Element:
    text = clean(element.text)
    if element.kind == "CodeSnippet":
        return replace(element, text=text.strip("\n").rstrip() if text.strip() else "")
    if element.kind == "Title":
        return replace(element, text=" ".join(text.split()))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return replace(element, text="\n".join(line for line in lines if line))


def title_of(elements: Sequence[Element]) -> str:
    """The heading of the highest rank among the first ones that somebody gave; '' without one.

    On pages a heading is told by its looks, and those of the page where they begin are asked. Elsewhere the title is
    before all text, or soon behind it (badges, a notice) where no other heading is of its rank.
    """
    titles = [element for element in elements if element.kind == "Title" and given_title(element.text)]
    if all(element.page is None for element in elements):
        return _title_above(elements) or _only_title(elements[:_BEGINNING], titles)
    return _highest([element for element in titles[:8] if element.page == titles[0].page])


def _title_above(elements: Sequence[Element]) -> str:
    above = takewhile(lambda element: element.kind == "Title", elements)
    return _highest([element for element in above if given_title(element.text)][:8])


def _only_title(beginning: Sequence[Element], titles: Sequence[Element]) -> str:
    first = [element for element in titles if element.depth == 0]
    return first[0].text if len(first) == 1 and first[0] in beginning else ""


def _highest(titles: Sequence[Element]) -> str:
    ranked = sorted(titles, key=lambda element: element.depth if element.depth is not None else 9)
    return ranked[0].text if ranked else ""


def from_unstructured(parts: Iterable[Any], *, headings: bool = True) -> list[Element]:
    """Unstructured's elements as ours; without `headings` only what carries a depth, or names a table, is a Title."""
    wanted = (part for part in parts if part.category not in _UNWANTED)
    return [element for part in wanted for element in _converted(part, headings=headings)]


def _converted(part: Any, *, headings: bool) -> list[Element]:
    about = part.metadata
    if part.category == "Table":
        rows = rows_of_markup(about.text_as_html) if about.text_as_html else [[part.text]]
        return table(rows, page=about.page_number)
    kind = _KINDS.get(part.category, part.category)
    depth = about.category_depth if kind == "Title" else None
    if kind == "Title" and depth is None and not headings:
        kind = "Text"
    return [Element(kind, part.text, page=about.page_number, depth=depth)]


def rows_of_markup(markup: str) -> list[list[str]]:
    """Rows and cells of the first table in a piece of HTML."""
    from lxml import html as lxml_html  # noqa: PLC0415 - the parent reads this module's neighbours without lxml

    root = lxml_html.fragment_fromstring(markup, create_parent="div")
    return [[" ".join(cell.itertext()) for cell in row.xpath("./td|./th")] for row in root.xpath(".//tr")]
