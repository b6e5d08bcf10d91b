"""Words that Word's, PowerPoint's and Excel's own readers pass over: each wrapped as those programs wrap it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from zipfile import ZipFile

import docx
import openpyxl
import pptx
import pytest
from adapters.parser.test_formats import saved, texts

from nightjar.errors import BadDocument, Code
from nightjar.model import ParsedDocument

Reading = Callable[..., ParsedDocument | BadDocument]

_SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    ' xmlns:v="urn:schemas-microsoft-com:vml"'
    ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)


def rewritten(package: bytes, change: Callable[[str, bytes], bytes], **added: bytes) -> bytes:
    """The package with each part changed and some added; `added` maps names with `__` for `/` and `_xml` endings."""
    target = io.BytesIO()
    with ZipFile(io.BytesIO(package)) as before, ZipFile(target, "w") as after:
        for name in before.namelist():
            after.writestr(name, change(name, before.read(name)))
        for name, data in added.items():
            after.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return target.getvalue()


def a_docx(body: str, **added: bytes) -> bytes:
    """A Word file whose body is this markup between two plain paragraphs."""
    first, last = (f"<w:p><w:r><w:t>{text} words here</w:t></w:r></w:p>" for text in ("first", "last"))
    markup = f"<w:document {_SPACES}><w:body>{first}{body}{last}</w:body></w:document>".encode()
    return rewritten(
        saved(docx.Document()), lambda name, data: markup if name == "word/document.xml" else data, **added
    )


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


_CONTROL = f"<w:sdt><w:sdtPr>%s</w:sdtPr><w:sdtContent>{paragraph('filled in')}</w:sdtContent></w:sdt>"
_BOX = f"<w:txbxContent>{paragraph('in a box')}</w:txbxContent>"
_BOX_TWICE = (
    "<w:p><w:r><w:t>beside</w:t></w:r><w:r><mc:AlternateContent>"
    f"<mc:Choice Requires='wps'><w:drawing><wps:txbx>{_BOX}</wps:txbx></w:drawing></mc:Choice>"
    f"<mc:Fallback><w:pict><v:textbox>{_BOX}</v:textbox></w:pict></mc:Fallback>"
    "</mc:AlternateContent></w:r></w:p>"
)
_FORMULA = (
    "<w:p><w:r><w:t>then</w:t></w:r><m:oMath><m:r><m:t>x=</m:t></m:r>"
    "<m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath></w:p>"
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<w:p><w:ins w:id="1" w:author="a"><w:r><w:t>put in</w:t></w:r></w:ins></w:p>', ["put in"]),
        ('<w:p><w:del w:id="1" w:author="a"><w:r><w:delText>cut</w:delText></w:r></w:del></w:p>', []),
        (_CONTROL % "", ["filled in"]),
        (_CONTROL % "<w:showingPlcHdr/>", []),
        (_BOX_TWICE, ["beside", "in a box"]),
        (_FORMULA, ["then x=a/b"]),
    ],
    ids=["insertion", "deletion", "content control", "placeholder", "text box in two versions", "formula"],
)
def test_a_word_body_is_read_as_its_reader_sees_it(reading: Reading, body: str, found: list[str]) -> None:
    assert texts(reading("a.docx", a_docx(body))) == ["first words here", *found, "last words here"]


def test_a_footnote_follows_the_paragraph_that_cites_it(reading: Reading) -> None:
    notes = (
        b'<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        b'<w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r>'
        b"<w:r><w:t>as told below</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    body = '<w:p><w:r><w:t>a claim</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    found = texts(reading("a.docx", a_docx(body, word__footnotes_xml=notes)))
    assert found == ["first words here", "a claim", "as told below", "last words here"]


def test_damaged_footnotes_do_not_cost_the_body(reading: Reading) -> None:
    body = '<w:p><w:r><w:t>a claim</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    found = texts(reading("a.docx", a_docx(body, word__footnotes_xml=b"<w:footnotes")))
    assert found == ["first words here", "a claim", "last words here"]


def test_a_damaged_word_body_is_corrupt(reading: Reading) -> None:
    verdict = reading("a.docx", a_docx("<w:p><w:ins>"))
    assert isinstance(verdict, BadDocument)
    assert verdict.code is Code.CORRUPT


def strict(_: str, data: bytes) -> bytes:
    return re.sub(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/", rb"http://purl.oclc.org/ooxml/\1/", data)


def test_iso_strict_workbooks_are_read(reading: Reading) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Stock"
    book.active.append(["Bolts", 12])
    package = rewritten(
        saved(book), lambda name, data: data if "package" in name or name.startswith("[") else strict(name, data)
    )
    assert texts(reading("a.xlsx", package)) == ["Stock", "Bolts | 12"]


def a_show() -> pptx.presentation.Presentation:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Second quarter"
    return show


def test_speaker_notes_follow_their_slide(reading: Reading) -> None:
    show = a_show()
    show.slides[0].notes_slide.notes_text_frame.text = "Say that it went well."
    assert texts(reading("a.pptx", saved(show))) == ["Second quarter", "Say that it went well."]


def test_only_a_slides_title_is_its_heading(reading: Reading) -> None:
    show = a_show()
    show.slides[0].shapes.add_textbox(0, 5_000_000, 3_000_000, 500_000).text_frame.text = "Northern Region"
    parsed = reading("a.pptx", saved(show))
    assert isinstance(parsed, ParsedDocument)
    assert [(e.kind, e.text) for e in parsed.elements] == [("Title", "Second quarter"), ("Text", "Northern Region")]


def test_a_slides_diagram_is_text_of_the_slide(reading: Reading) -> None:
    frame = (
        b"<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id='9' name='d'/><p:cNvGraphicFramePr/><p:nvPr/>"
        b"</p:nvGraphicFramePr><p:xfrm><a:off x='0' y='3000000'/><a:ext cx='1' cy='1'/></p:xfrm><a:graphic>"
        b"<a:graphicData uri='http://schemas.openxmlformats.org/drawingml/2006/diagram'><dgm:relIds"
        b" xmlns:dgm='http://schemas.openxmlformats.org/drawingml/2006/diagram' r:dm='rId77'/></a:graphicData>"
        b"</a:graphic></p:graphicFrame></p:spTree>"
    )
    relation = b'<Relationship Id="rId77" Type="http://x/diagramData" Target="../diagrams/data1.xml"/></Relationships>'
    points = (
        b"<dgm:dataModel xmlns:dgm='http://schemas.openxmlformats.org/drawingml/2006/diagram'"
        b" xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'><dgm:pt><dgm:t><a:p>"
        b"<a:r><a:t>Plan, then</a:t></a:r><a:r><a:t> build</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>"
    )

    def put(name: str, data: bytes) -> bytes:
        if name == "ppt/slides/slide1.xml":
            return data.replace(b"</p:spTree>", frame)
        return data.replace(b"</Relationships>", relation) if name == "ppt/slides/_rels/slide1.xml.rels" else data

    package = rewritten(saved(a_show()), put, ppt__diagrams__data1_xml=points)
    assert texts(reading("a.pptx", package)) == ["Second quarter", "Plan, then build"]
