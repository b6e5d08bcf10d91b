"""Files that are not what they should be: each gets its code, and its neighbours are read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from adapters.parser.builders import a_document, a_parser, read_all

from nightjar.adapters.parser import UnstructuredParser
from nightjar.errors import BadDocument, Code
from nightjar.model import ParsedDocument

Reading = Callable[..., ParsedDocument | BadDocument]


def a_zip(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return target.getvalue()


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        ("a.txt", b"", Code.EMPTY),
        ("a.txt", b" \n\t ", Code.EMPTY),
        ("a.pdf", b"%PDF-1.7\nnothing of a kind", Code.CORRUPT),
        ("a.docx", b"PK\x03\x04 and no more", Code.CORRUPT),
        ("a.zip", a_zip(a=b"text"), Code.UNSUPPORTED),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(64), Code.UNSUPPORTED),
        ("a.bin", bytes(range(256)) * 8, Code.UNSUPPORTED),
        ("a.html", b"<html><script>only()</script></html>", Code.NO_TEXT),
    ],
)
def test_what_cannot_be_read_gets_its_code(reading: Reading, key: str, data: bytes, code: Code) -> None:
    failure = reading(key, data)
    assert isinstance(failure, BadDocument)
    assert failure.code is code


def test_the_content_decides_not_the_name(reading: Reading) -> None:
    parsed = reading("really.pdf", b"Just a few words that somebody called a PDF.")
    assert isinstance(parsed, ParsedDocument)
    assert parsed.media_type == "text/plain"


@pytest.mark.slow
def test_a_document_out_of_time_is_killed_and_its_neighbours_are_read(tmp_path: Path) -> None:
    rows = b"<row>" + b"<c><v>1</v></c>" * 2000 + b"</row>"
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + rows * 5000
    bomb = tmp_path / "bomb"
    bomb.write_bytes(a_bomb(sheet))
    calm = tmp_path / "calm"
    calm.write_bytes(b"Nothing happens here at all, and it is read.")
    parser = a_parser(tmp_path / "work", timeout_s=2)
    try:
        documents = [a_document(bomb, key="bomb.xlsx"), a_document(calm, key="calm.txt")]
        readings = read_all(parser, documents)
    finally:
        parser.close()
    assert isinstance(readings["calm.txt"], ParsedDocument)
    failure = readings["bomb.xlsx"]
    assert isinstance(failure, BadDocument)
    assert failure.code in {Code.TIMED_OUT, Code.TOO_LARGE}


def a_bomb(sheet: bytes) -> bytes:
    """A workbook of ten million cells in some hundred kilobytes."""
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return a_zip(
        **{
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/>'
                f'<Override PartName="/xl/s.xml" ContentType="{main}.worksheet+xml"/></Types>'
            ).encode(),
            "_rels/.rels": (
                '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                f'<Relationship Id="a" Type="{kinds}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ).encode(),
            "xl/_rels/workbook.xml.rels": (
                '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                f'<Relationship Id="a" Type="{kinds}/worksheet" Target="s.xml"/></Relationships>'
            ).encode(),
            "xl/workbook.xml": (
                '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
                f'xmlns:r="{kinds}"><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>'
            ).encode(),
            "xl/s.xml": sheet + b"</sheetData></worksheet>",
        }
    )


@pytest.mark.slow
def test_nothing_stays_in_the_working_folder(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"Some words in a file that is read and forgotten.")
    parser = a_parser(tmp_path / "work")
    read_all(parser, [a_document(path, key="a.txt")])
    parser.close()
    assert list((tmp_path / "work").iterdir()) == []


def test_a_failure_in_company_is_tried_again_alone(parser: UnstructuredParser, tmp_path: Path) -> None:
    documents = []
    for number in range(40):
        path = tmp_path / str(number)
        path.write_bytes(
            b"<html><script></script></html>" if number == 20 else b"<html><p>Words enough to be read.</p></html>"
        )
        documents.append(a_document(path, key=f"{number}.html"))
    readings = read_all(parser, documents)
    assert [key for key, reading in readings.items() if isinstance(reading, BadDocument)] == ["20.html"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("empty/unstructured--fake-text-all-whitespace.txt", Code.EMPTY),
        ("truncated/truncated.xlsx", Code.CORRUPT),
        ("unsupported/tika--testSQLITE3.db", Code.UNSUPPORTED),
        ("path-traversal/safearchive--symlinks.zip", Code.UNSUPPORTED),
        ("xml/defusedxml--quadratic.xml", Code.CORRUPT),
    ],
)
def test_hostile_files_get_their_code(parser: UnstructuredParser, data: Path, name: str, code: Code) -> None:
    document = a_document(data / "hostile" / name)
    failure = read_all(parser, [document])[document.key]
    assert isinstance(failure, BadDocument)
    assert failure.code is code


@pytest.mark.data
def test_every_encrypted_office_file_is_called_encrypted(parser: UnstructuredParser, data: Path) -> None:
    names = [
        p
        for p in sorted((data / "hostile/encrypted").iterdir())
        if "testWORD_protected" in p.name or p.suffix == ".xlsx"
    ]
    readings = read_all(parser, [a_document(path) for path in names])
    assert {getattr(reading, "code", None) for reading in readings.values()} == {Code.ENCRYPTED}


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["cmn_hans-gb18030", "cmn_hant-big5", "heb-cp1255", "hin-utf_16_le", "tha-tis_620", "tur-iso8859_9"]
)
def test_legacy_encodings_come_out_in_their_language(parser: UnstructuredParser, data: Path, name: str) -> None:
    document = a_document(data / "documents/files/encodings" / f"udhr--udhr-{name}.html")
    parsed = read_all(parser, [document])[document.key]
    assert isinstance(parsed, ParsedDocument)
    assert parsed.language == {"cmn": "zho"}.get(name[:3], name[:3])
