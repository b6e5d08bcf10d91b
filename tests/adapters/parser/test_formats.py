"""What comes out of each format, from tiny files written here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import docx
import openpyxl
import pptx
import pytest
from fpdf import FPDF

from nightjar.errors import BadDocument
from nightjar.model import ParsedDocument

Reading = Callable[..., ParsedDocument | BadDocument]


def texts(parsed: ParsedDocument | BadDocument) -> list[str]:
    assert isinstance(parsed, ParsedDocument), parsed
    return [element.text for element in parsed.elements]


def saved(document: object) -> bytes:
    target = io.BytesIO()
    document.save(target)  # type: ignore[attr-defined]
    return target.getvalue()


def a_pdf() -> FPDF:
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    return pdf


def test_pdf_headings_are_told_by_their_size(reading: Reading) -> None:
    pdf = a_pdf()
    pdf.add_page()
    pdf.set_font_size(20)
    pdf.multi_cell(0, 12, "Annual report", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font_size(11)
    pdf.multi_cell(
        0,
        6,
        "The year went well, and all of our people were content with what they did. " * 5,
        new_x="LMARGIN",
        new_y="NEXT",
    )
    parsed = reading("report.pdf", bytes(pdf.output()))
    assert isinstance(parsed, ParsedDocument)
    assert (parsed.elements[0].kind, parsed.elements[0].depth, parsed.elements[0].page) == ("Title", 0, 1)
    assert parsed.title == "Annual report"
    assert parsed.language == "eng"


def test_pdf_numbers_stay_beside_their_labels(reading: Reading) -> None:
    pdf = a_pdf()
    pdf.add_page()
    for label, now, before in (("Sales", "1,200", "1,100"), ("Costs", "(300)", "(250)"), ("Profit", "900", "850")):
        pdf.cell(80, 6, label)
        pdf.cell(30, 6, now)
        pdf.cell(30, 6, before, new_x="LMARGIN", new_y="NEXT")
    parsed = reading("table.pdf", bytes(pdf.output()))
    assert isinstance(parsed, ParsedDocument)
    assert parsed.elements[0].kind == "Table"
    assert parsed.elements[0].text == "Sales | 1,200 | 1,100\nCosts | (300) | (250)\nProfit | 900 | 850"


def test_pdf_repeated_headers_and_page_numbers_are_dropped(reading: Reading) -> None:
    pdf = a_pdf()
    for number in range(1, 6):
        pdf.add_page()
        pdf.multi_cell(0, 6, "Confidential draft of the board", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(60)
        pdf.multi_cell(
            0,
            6,
            f"Chapter {'ABCDE'[number - 1]} speaks of something else than all the others.",
            new_x="LMARGIN",
            new_y="NEXT",
        )
        pdf.set_y(-30)
        pdf.multi_cell(0, 6, str(number), new_x="LMARGIN", new_y="NEXT")
    found = texts(reading("book.pdf", bytes(pdf.output())))
    assert len(found) == 5
    assert all(text.startswith("Chapter") for text in found)


def test_docx_tables_are_rows_with_their_header_first(reading: Reading) -> None:
    document = docx.Document()
    document.add_heading("Prices", level=2)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Item", "Price", "Tea", "3 EUR"), strict=True
    ):
        cell.text = text
    parsed = reading("prices.docx", saved(document))
    assert isinstance(parsed, ParsedDocument)
    assert [(e.kind, e.text, e.depth) for e in parsed.elements] == [
        ("Title", "Prices", 1),
        ("Table", "Item | Price\nTea | 3 EUR", None),
    ]
    assert (
        parsed.elements[1].table_html
        == "<table><tr><td>Item</td><td>Price</td></tr><tr><td>Tea</td><td>3 EUR</td></tr></table>"
    )


def test_pptx_slides_are_pages(reading: Reading) -> None:
    show = pptx.Presentation()
    for title in ("First slide", "Second slide"):
        show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = title
    parsed = reading("show.pptx", saved(show))
    assert isinstance(parsed, ParsedDocument)
    assert [(e.text, e.page) for e in parsed.elements] == [("First slide", 1), ("Second slide", 2)]


def test_xlsx_sheets_are_headed_tables(reading: Reading) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Stock"
    for row in (["Name", "Count"], ["Bolts", 12.0]):
        book.active.append(row)
    assert texts(reading("stock.xlsx", saved(book))) == ["Stock", "Name | Count\nBolts | 12"]


def test_html_keeps_headings_and_tables_and_drops_scripts(reading: Reading) -> None:
    page = b"""<html><head><title>Duck</title><script>var x</script></head><body><nav>menu</nav><h1>Ducks</h1>
    <h2>Food</h2><p>They eat grass and small fish.</p><table><tr><th>Kind</th><th>Size</th></tr>
    <tr><td>Mallard</td><td>60 cm</td></tr></table></body></html>"""
    parsed = reading("duck.html", page)
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "Duck"
    assert [(e.kind, e.depth) for e in parsed.elements[:2]] == [("Title", 0), ("Title", 1)]
    assert texts(parsed)[2:] == ["They eat grass and small fish.", "Kind | Size\nMallard | 60 cm"]


def test_markdown_keeps_code_lines_and_generic_types(reading: Reading) -> None:
    prose = b"# Guide\n\nA `Vec<T>` and a Map<K, V> are *not* tags.\n\n"
    page = prose + b"```py\nif x:\n    y()\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert texts(reading("guide.md", page)) == [
        "Guide",
        "A Vec<T> and a Map<K, V> are not tags.",
        "if x:\n    y()",
        "a | b\n1 | 2",
    ]


def test_source_code_keeps_lines_and_indentation(reading: Reading) -> None:
    parsed = reading("lib/tool.py", b"def f(x):\n    return x\n\n\ndef g():\n\treturn 1\n")
    assert isinstance(parsed, ParsedDocument)
    assert parsed.media_type == "text/x-source-python"
    assert texts(parsed) == ["def f(x):\n    return x\n\n\ndef g():\n    return 1"]


def test_text_broken_for_width_is_joined_and_lists_are_not(reading: Reading) -> None:
    prose = b"This line was broken because the page is narrow,\nand so it goes on here without any pause.\n\n"
    text = prose + b"- one thing\n- another thing\n"
    assert texts(reading("a.txt", text)) == [
        "This line was broken because the page is narrow, and so it goes on here without any pause.",
        "- one thing",
        "- another thing",
    ]


def test_json_values_stand_beside_their_path(reading: Reading) -> None:
    data = json.dumps({"name": "Tea", "price": {"amount": 3, "unit": "EUR"}}).encode()
    assert texts(reading("a.json", data)) == ["name: Tea", "price.amount: 3\nprice.unit: EUR"]


def test_invalid_json_is_read_as_text(reading: Reading) -> None:
    parsed = reading("a.json", b"{not json at all, but readable}")
    assert isinstance(parsed, ParsedDocument)
    assert parsed.media_type == "text/plain"


def test_email_has_its_subject_as_title_and_notes_attachments(reading: Reading) -> None:
    mail = b"""From: a@b.c\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\nContent-Type: text/plain; charset=utf-8\r\n\r
We meet at noon in the large room.\r\n--X\r\nContent-Type: audio/mp3\r
Content-Disposition: attachment; filename=a.mp3\r\n\r\nabc\r\n--X--\r\n"""
    parsed = reading("mail.eml", mail)
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "Grüße"
    assert texts(parsed) == ["We meet at noon in the large room."]
    assert parsed.notes == ("1 attachment(s) not read",)


def test_csv_is_one_table_whatever_its_delimiter(reading: Reading) -> None:
    assert texts(reading("a.csv", b"name;size\nduck;60\n")) == ["name | size\nduck | 60"]


def test_xml_entities_open_no_file(reading: Reading) -> None:
    entity = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    bomb = entity + b"<r><p>before &x; after this text</p></r>"
    assert "root:" not in " ".join(texts(reading("a.xml", bomb)))


@pytest.mark.parametrize(
    ("declared", "data", "text", "charset"),
    [
        ("", "Grüße aus Köln".encode(), "Grüße aus Köln", "utf-8"),
        ("", "Grüße aus Köln".encode("utf-16"), "Grüße aus Köln", "utf-16"),
        ("windows-1251", "Привет, мир".encode("cp1251"), "Привет, мир", "cp1251"),
        ("iso-8859-1", "Grüße aus Köln".encode(), "Grüße aus Köln", "utf-8"),
        ("no-such-charset", b"plain words", "plain words", "utf-8"),
    ],
)
def test_characters_come_out_right(reading: Reading, declared: str, data: bytes, text: str, charset: str) -> None:
    parsed = reading("a.txt", data, declared_charset=declared)
    assert isinstance(parsed, ParsedDocument)
    assert (texts(parsed), parsed.charset) == ([text], charset)


def test_text_is_normalised_and_free_of_control_characters(reading: Reading) -> None:
    assert texts(reading("a.txt", "Cafe\u0301 \x00open\x07 today and tomorrow".encode())) == [
        "Café open today and tomorrow"
    ]
