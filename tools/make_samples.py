"""Writes the sample corpus's binary documents from `samples/sources`; the same texts give the same bytes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import docx
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from openpyxl import Workbook
from pptx import Presentation

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
_WRITTEN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_ZIP_TIME = (2026, 1, 5, 9, 0, 0)
_SAVED_AT = re.compile(rb"(?<=W3CDTF\">)[^<]+")  # openpyxl insists on the present time
_PASSWORD = "not-for-pipelines"  # noqa: S105 - the file is meant to stay closed, and holds nothing
_POINTS = {"title": 20, "heading": 14, "text": 11}


def main() -> None:
    """Rewrite every generated document in its place."""
    people, finance = SAMPLES / "handbook" / "people", SAMPLES / "handbook" / "finance"
    (people / "remote-work.docx").write_bytes(word(source("remote-work.md")))
    (people / "company.pptx").write_bytes(slides(source("company.md")))
    (people / "benefits.xlsx").write_bytes(sheet(source("benefits.csv")))
    (finance / "travel-policy.pdf").write_bytes(pdf(source("travel-policy.md")))
    (finance / "salary-bands.pdf").write_bytes(pdf(source("salary-bands.md"), password=_PASSWORD))


def source(name: str) -> str:
    """A text of `samples/sources`."""
    return (SAMPLES / "sources" / name).read_text()


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each block: title, heading, item, break or text; the little of Markdown that the sources use."""
    kinds = {"# ": "title", "## ": "heading", "- ": "item"}
    for line in filter(None, map(str.strip, text.splitlines())):
        prefix = next((prefix for prefix in kinds if line.startswith(prefix)), "")
        if line == "---":
            yield "break", ""
        else:
            yield kinds.get(prefix, "text"), line.removeprefix(prefix)


def word(text: str) -> bytes:
    """A Word document with styles for its headings and lists."""
    document = docx.Document()
    document.core_properties.created = document.core_properties.modified = _WRITTEN
    document.core_properties.author = "Brightwater Instruments"
    styles = {"title": "Title", "heading": "Heading 1", "item": "List Bullet", "text": "Normal"}
    for kind, line in blocks(text):
        document.add_paragraph(line, style=styles[kind])
    buffer = io.BytesIO()
    document.save(buffer)
    return without_times(buffer.getvalue())


def slides(text: str) -> bytes:
    """A presentation: each part between breaks is a slide, its first line the slide's title."""
    presentation = Presentation()
    presentation.core_properties.created = presentation.core_properties.modified = _WRITTEN
    for part in text.split("\n---\n"):
        (_, title), *rest = blocks(part)
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(line for _, line in rest)
    buffer = io.BytesIO()
    presentation.save(buffer)
    return without_times(buffer.getvalue())


def sheet(text: str) -> bytes:
    """A workbook with one sheet, the header in its first row."""
    workbook = Workbook()
    workbook.properties.created = workbook.properties.modified = _WRITTEN.replace(tzinfo=None)
    page = workbook.worksheets[0]
    page.title = "Benefits 2026"
    for row in csv.reader(io.StringIO(text)):
        page.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return without_times(buffer.getvalue())


def pdf(text: str, *, password: str | None = None) -> bytes:
    """A PDF with a text layer; breaks become pages."""
    paper = FPDF(format="A4")
    paper.set_creation_date(_WRITTEN)
    paper.set_margin(25)
    if password:
        paper.set_encryption(owner_password=password, user_password=password)
    paper.add_page()
    for kind, line in blocks(text):
        _put(paper, kind, line)
    return bytes(paper.output())


def _put(paper: FPDF, kind: str, line: str) -> None:
    if kind == "break":
        paper.add_page()
        return
    size = _POINTS.get(kind, _POINTS["text"])
    paper.set_font("Helvetica", style="B" if kind in ("title", "heading") else "", size=size)
    paper.multi_cell(0, size * 0.5, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.ln(3)


def without_times(packed: bytes) -> bytes:
    """The same archive with one fixed time everywhere: Office files would differ from run to run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _SAVED_AT.sub(_WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), content)
            new.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
