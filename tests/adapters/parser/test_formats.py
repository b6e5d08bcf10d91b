"""What comes out of each format, from tiny files written here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from adapters.parser.builders import a_document, read_all
from fpdf import FPDF

from nightjar.adapters.memory.embedder import MemoryTokenizer
from nightjar.adapters.parser import UnstructuredParser
from nightjar.errors import BadDocument
from nightjar.model import ParsedDocument
from nightjar.stages.chunk import ChunkRules, chunk

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


def test_a_larger_heading_of_a_later_page_is_not_the_title(reading: Reading) -> None:
    pdf = a_pdf()
    for size, heading in ((16, "Traffic by month"), (24, "Appendix")):
        pdf.add_page()
        pdf.set_font_size(size)
        pdf.multi_cell(0, 12, heading, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font_size(11)
        pdf.multi_cell(0, 6, "Running text that says what there is to say about this. " * 5)
    parsed = reading("report.pdf", bytes(pdf.output()))
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "Traffic by month"


def test_a_heading_below_text_of_the_first_page_is_the_title(reading: Reading) -> None:
    pdf = a_pdf()
    pdf.add_page()
    pdf.multi_cell(0, 6, "A letterhead that says where we are", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font_size(20)
    pdf.multi_cell(0, 30, "Annual report", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font_size(11)
    pdf.multi_cell(0, 6, "Running text that says what there is to say about this. " * 5)
    parsed = reading("report.pdf", bytes(pdf.output()))
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "Annual report"


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


def test_pdf_text_with_one_wide_gap_is_no_table(reading: Reading) -> None:
    pdf = a_pdf()
    pdf.add_page()
    pdf.cell(0, 6, "The effort that was needed here was large, and it was", new_x="LMARGIN", new_y="NEXT")
    pdf.cell(80, 6, "soon seen by all.")
    pdf.cell(60, 6, "Then help came", new_x="LMARGIN", new_y="NEXT")
    pdf.cell(0, 6, "and all went well until the end of the long and hot year.", new_x="LMARGIN", new_y="NEXT")
    parsed = reading("gap.pdf", bytes(pdf.output()))
    assert isinstance(parsed, ParsedDocument)
    assert [element.kind for element in parsed.elements] == ["NarrativeText"]


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


def a_filled_form() -> bytes:
    """A page that says "Name" and a text field over it, whose appearance says "Ann Lee"."""
    font = "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    label, value = "BT /F 12 Tf 50 700 Td (Name) Tj ET", "BT /F 12 Tf 2 5 Td (Ann Lee) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]{font}/Contents 4 0 R/Annots[5 0 R]>>",
        f"<</Length {len(label)}>>\nstream\n{label}\nendstream",
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Ann Lee)/F 4/Rect[50 650 200 670]/AP<</N 6 0 R>>>>",
        f"<</Type/XObject/Subtype/Form/BBox[0 0 150 20]{font}/Length {len(value)}>>\nstream\n{value}\nendstream",
    ]
    written, places = "%PDF-1.7\n", []
    for number, text in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = f"startxref\n{len(written)}\n%%EOF\n"
    return f"{written}xref\n0 7\n0000000000 65535 f \n{table}trailer\n<</Root 1 0 R/Size 7>>\n{start}".encode()


def test_pdf_forms_are_read_with_what_was_filled_in(reading: Reading) -> None:
    assert texts(reading("form.pdf", a_filled_form())) == ["Name", "Ann Lee"]


@pytest.mark.data
def test_arabic_ligatures_in_pdf_are_read_in_order(parser: UnstructuredParser, data: Path) -> None:
    path = data / "documents" / "files" / "pdf" / "docling--right_to_left_01.pdf"
    first, *_ = texts(read_all(parser, [a_document(path)])[path.name])
    assert "الإنتاجية وحل المشكلات" in first


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


def a_workbook(*rows: list[object], merged: str = "", sheet: str = "Stock") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    if merged:
        book.active.merge_cells(merged)
    return saved(book)


def test_a_sheet_that_nobody_named_is_titled_by_its_first_row(reading: Reading) -> None:
    parsed = reading("stock.xlsx", a_workbook(["Bolts in store"], ["Name", "Count"], ["M8", 12], sheet="Sheet1"))
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "Bolts in store"


@pytest.mark.parametrize("merged", ["", "A1:B1"])
def test_the_title_row_of_a_sheet_is_a_heading_above_its_table(reading: Reading, merged: str) -> None:
    rows: list[list[object]] = [["Bolts in store"], ["counted in May"], ["Name", "Count"], ["M8", 12]]
    parsed = reading("stock.xlsx", a_workbook(*rows, merged=merged))
    assert isinstance(parsed, ParsedDocument)
    assert [(e.kind, e.text, e.depth) for e in parsed.elements] == [
        ("Title", "Stock", 0),
        ("Title", "Bolts in store", 1),
        ("Text", "counted in May", None),
        ("Table", "Name | Count\nM8 | 12", None),
    ]


def test_chunks_of_a_sheet_repeat_its_header_and_not_its_title(reading: Reading) -> None:
    rows: list[list[object]] = [["Bolts in store"], ["Name", "Count"], *([f"bolt {i}", i] for i in range(40))]
    parsed = reading("stock.xlsx", a_workbook(*rows))
    assert isinstance(parsed, ParsedDocument)
    found = chunk(parsed, tokenizer=MemoryTokenizer(), rules=ChunkRules(max_tokens=80))
    assert len(found) > 1
    assert [one.text.count("Bolts in store") for one in found] == [1] + [0] * (len(found) - 1)
    assert {one.text.count("Name | Count") for one in found} == {1}


TITLED_MARKUP = """<table><tr><th colspan=2>Bolts in store</th></tr><tr><th>Name</th><th>Count</th></tr>
<tr><td>M8</td><td>12</td></tr><tr><td>M10</td><td>3</td></tr></table>"""


@pytest.mark.parametrize(
    ("name", "data"), [("a.csv", b"Bolts in store\nName;Count\nM8;12\nM10;3\n"), ("a.html", TITLED_MARKUP.encode())]
)
def test_the_title_row_of_a_table_is_a_heading_above_it(reading: Reading, name: str, data: bytes) -> None:
    assert texts(reading(name, data)) == ["Bolts in store", "Name | Count\nM8 | 12\nM10 | 3"]


def test_a_list_in_one_column_is_no_title(reading: Reading) -> None:
    rows: list[list[object]] = [["red"], ["green"], ["blue"], ["orange"], ["yellow", "gold"]]
    assert texts(reading("stock.xlsx", a_workbook(*rows)))[1].startswith("red\ngreen")


def test_html_keeps_headings_and_tables_and_drops_scripts(reading: Reading) -> None:
    page = b"""<html><head><title>Duck</title><script>var x</script></head><body><nav>menu</nav><h1>Ducks</h1>
    <h2>Food</h2><p>They eat grass and small fish.</p><table><tr><th>Kind</th><th>Size</th></tr>
    <tr><td>Mallard</td><td>60 cm</td></tr></table></body></html>"""
    parsed = reading("duck.html", page)
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "Duck"
    assert [(e.kind, e.depth) for e in parsed.elements[:2]] == [("Title", 0), ("Title", 1)]
    assert texts(parsed)[2:] == ["They eat grass and small fish.", "Kind | Size\nMallard | 60 cm"]


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("<form><h1>Leave</h1><p>Ask your lead in time.</p></form>", ["Leave", "Ask your lead in time."]),
        ("<form><label>First day</label> <input><p>Ask your lead.</p></form>", ["First day", "Ask your lead."]),
        ("<p>It holds that <math><mi>x</mi><mo>=</mo><mn>2</mn></math> here.</p>", ["It holds that x=2 here."]),
        ("<details><summary>May I?</summary>Yes, you may.</details>", ["May I?", "Yes, you may."]),
        ("<figure><pre>one line</pre><figcaption>A listing.</figcaption></figure>", ["one line", "A listing."]),
        (
            "<table><caption>Sizes of birds</caption><tr><td>Duck</td><td>60</td></tr></table>",
            ["Sizes of birds", "Duck | 60"],
        ),
        (
            "<h1>Ducks</h1><p>A lead of words.</p><main><p>They eat grass.</p></main>",
            ["Ducks", "A lead of words.", "They eat grass."],
        ),
        (
            "<header>Site and menu</header><main><h1>Ducks</h1><p>They eat grass.</p></main>",
            ["Ducks", "They eat grass."],
        ),
    ],
    ids=["form", "label", "formula", "details", "figure", "caption", "heading outside of main", "main"],
)
def test_html_keeps_what_people_see(reading: Reading, page: str, kept: list[str]) -> None:
    assert texts(reading("a.html", f"<html><body>{page}</body></html>".encode())) == kept


def test_html_keeps_paragraphs_of_one_letter_and_not_of_one_mark(reading: Reading) -> None:
    page = "<p>A</p><div>7</div><p><b>\u6c34</b></p><dl><dt>B</dt><dd>C</dd></dl><p>\u2014</p><p>\u2022</p>"
    assert texts(reading("a.html", page.encode())) == ["A", "7", "\u6c34", "B", "C"]


def test_html_table_cells_keep_their_words_whole(reading: Reading) -> None:
    page = (
        b"<table><tr><td>H<sub>2</sub>O, <i>cold</i>, wet<ul><li>ice</li><li>snow</li></ul></td><td>x</td></tr></table>"
    )
    assert texts(reading("a.html", page)) == ["H2O, cold, wet ice snow | x"]


def test_markdown_keeps_code_lines_and_generic_types(reading: Reading) -> None:
    prose = b"# Guide\n\nA `Vec<T>` and a Map<K, V> are *not* tags.\n\n"
    page = prose + b"```py\nif x:\n    y()\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert texts(reading("guide.md", page)) == [
        "Guide",
        "A Vec<T> and a Map<K, V> are not tags.",
        "if x:\n    y()",
        "a | b\n1 | 2",
    ]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("## Setup\n\nFirst of all:\n\n# Create a client\n", "Setup"),
        ("## Part one\n\n# Guide\n\nFirst of all.\n", "Guide"),
        ("First of all:\n\n# Create a client\n\nThen:\n\n# Ask it\n", ""),
        ("Build: passing\n\n# Nightjar\n\nIndexes.\n\n## Setup\n\nInstall it.\n", "Nightjar"),
        ("A line of text.\n\n" * 9 + "# Figure\n", ""),
    ],
)
def test_without_pages_a_heading_before_all_text_or_the_only_one_of_its_rank_is_the_title(
    reading: Reading, page: str, title: str
) -> None:
    parsed = reading("guide.md", page.encode())
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == title


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


def test_json_lines_are_read_one_after_the_other(reading: Reading) -> None:
    parsed = reading("a.jsonl", b'{"name": "Tea"}\n{"name": "Milk"}\n')
    assert isinstance(parsed, ParsedDocument)
    assert (parsed.media_type, texts(parsed)) == ("application/json", ["name: Tea", "name: Milk"])


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


def test_a_mailbox_needs_no_known_header(reading: Reading) -> None:
    first, second = b"Mon Jun 01 10:00:00 2009\n\nFirst of all.", b"Tue Jun 02 11:00:00 2010\nX: y\n\nFrom here on."
    box = b"From a@b " + first + b"\n\nFrom a@b " + second + b"\n"
    assert texts(reading("a.mbox", box)) == ["First of all.", "From here on."]


def test_subtitles_are_what_is_spoken(reading: Reading) -> None:
    first = b"intro-1\n00:01.000 --> 00:02.000\n<v Ann>It is -- so to say --\nlate.\n\n"
    cues = b"WEBVTT\n\n" + first + b"2\n00:02.000 --> 00:03.000\nYes.\n"
    assert texts(reading("a.vtt", cues)) == ["Ann: It is -- so to say --\nlate.\nYes."]


def test_latex_is_read_without_its_commands(reading: Reading) -> None:
    body = rb"\begin{document}\maketitle\section{Food}They \emph{eat} grass.\end{document}"
    source = rb"\documentclass{article}\title{On Ducks}" + body
    parsed = reading("a.tex", source)
    assert isinstance(parsed, ParsedDocument)
    assert (parsed.title, texts(parsed)[-2:]) == ("On Ducks", ["Food", "They eat grass."])


def test_the_first_title_of_an_article_in_xml_is_its_title(reading: Reading) -> None:
    article = b"<a><front><meta><article-title>On Ducks</article-title></meta></front><title>Data</title></a>"
    parsed = reading("a.xml", article)
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "On Ducks"


def test_pages_within_a_feed_are_read_without_their_markup(reading: Reading) -> None:
    body = "<![CDATA[<p>They <b>eat</b> grass.</p><h2>More</h2><p>And fish.</p>]]>"
    feed = f"<rss><item><title>Ducks</title><encoded>{body}</encoded></item></rss>"
    parsed = reading("a.xml", feed.encode())
    assert isinstance(parsed, ParsedDocument)
    assert [(e.text, e.depth) for e in parsed.elements] == [
        ("Ducks", 2),
        ("They eat grass.", None),
        ("More", None),
        ("And fish.", None),
    ]


def test_a_table_within_a_feed_is_not_its_title(reading: Reading) -> None:
    body = "<![CDATA[<table><tr><td>Sizes</td></tr><tr><td>Duck</td><td>60</td></tr></table>]]>"
    parsed = reading("a.xml", f"<rss><id>7</id><encoded>{body}</encoded></rss>".encode())
    assert isinstance(parsed, ParsedDocument)
    assert (texts(parsed), parsed.title) == (["id: 7", "Sizes", "Duck | 60"], "")


@pytest.mark.parametrize(
    "named", ["(anonymous)", "untitled", "Microsoft Word - a.doc", "report_2.docx", "Presentation1"]
)
def test_titles_that_nobody_gave_are_none(reading: Reading, named: str) -> None:
    parsed = reading("a.html", f"<title>{named}</title><h1>On Ducks</h1>".encode())
    assert isinstance(parsed, ParsedDocument)
    assert parsed.title == "On Ducks"


def test_russian_rtf_is_read_by_its_fonts_code_page(reading: Reading) -> None:
    data = rb"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0\fcharset204 Arial;}}\f0 \'cf\'f0\'e8\'e2\'e5\'f2\par}"
    assert texts(reading("a.rtf", data)) == ["Привет"]


def test_csv_is_one_table_whatever_its_delimiter(reading: Reading) -> None:
    assert texts(reading("a.csv", b"name;size\nduck;60\n")) == ["name | size\nduck | 60"]


SECURITIES = """Papier;ISIN;Stück;Kurs
Celesio AG;DE000CLS1001;500;41.14
Suess Microtec AG;DE0007226706;2600;7.91
Jungheinrich AG;DE0006219934;1000;24.7
"""
NOTE = "Hinweis;;;Jede Zahlung wird am ersten Werktag eines Monats ausgeführt und dem Konto gutgeschrieben\n"


@pytest.mark.parametrize(
    ("name", "text", "language"),
    [
        ("names.csv", SECURITIES, ""),
        ("notes.csv", SECURITIES + NOTE, "deu"),
        ("names.txt", "IPv4 IPv4 160.79.104.0/23 IPv6 IPv6 2607:6bc0::/48 Versions xlinkedin Versions xlinkedin", ""),
    ],
)
def test_the_language_of_names_and_numbers_is_not_guessed(
    reading: Reading, name: str, text: str, language: str
) -> None:
    parsed = reading(name, text.encode())
    assert isinstance(parsed, ParsedDocument)
    assert parsed.language == language


@pytest.mark.data
def test_english_between_listings_is_told(parser: UnstructuredParser, data: Path) -> None:
    path = data / "retrieval" / "apidocs" / "corpus" / "https_docs.claude.com_en_api_prompt-validation.md"
    parsed = read_all(parser, [a_document(path)])[path.name]
    assert isinstance(parsed, ParsedDocument)
    assert parsed.language == "eng"


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
