"""What a file is by its bytes; its name decides only among kinds of text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

from nightjar.adapters.parser import media_types as kinds
from nightjar.adapters.parser.charset import is_text
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.adapters.parser.structured import json_values
from nightjar.errors import Code

_HEAD: Final = 64 * 1024
_MARKS: Final = (
    (re.compile(rb"[\s\S]{0,1024}%PDF-"), kinds.PDF),  # the standard lets other bytes come first
    (re.compile(rb"\s*\{\\rt"), kinds.RTF),
    (re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00"), kinds.XLS),  # before OLE
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8"), "image/gif"),
    (re.compile(rb"BM"), "image/bmp"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "image/tiff"),
)
_HTML: Final = re.compile(
    rb"<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]|<(?:div|p|table|h[1-6]|title|meta|script|ul|a)[\s>]",
    re.IGNORECASE,
)
_XML: Final = re.compile(rb"\s*<\?xml[\s]|\s*<(?:[\w-]+:)?[\w-]+[\s>/]")
_HEADERS: Final = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{1,60}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}", re.ASCII)
_MAIL: Final = re.compile(
    rb"^(?:From|Received|Message-ID|MIME-Version|Return-Path|Delivered-To|Date):", re.IGNORECASE | re.MULTILINE
)
_WORKBOOK_PARTS: Final = (("word/", kinds.DOCX), ("ppt/", kinds.PPTX), ("xl/", kinds.XLSX))
_OLE: Final = (
    ("worddocument", kinds.DOC),
    ("powerpoint document", kinds.PPT),
    ("workbook", kinds.XLS),
    ("book", kinds.XLS),
    ("__properties_version1.0", kinds.MSG),
)
_ZIPPED: Final = {kinds.EPUB, kinds.ODT, kinds.ODS, kinds.ODP}
_OLDER: Final = {"doc": kinds.DOC, "ppt": kinds.PPT}  # before 1997 the streams had other names; LibreOffice knows them


def media_type_of(paper: Paper) -> str:
    """The media type of one file.

    Raises:
        Refused: empty, encrypted, corrupt (an archive that cannot be opened) or unsupported.
    """
    path = Path(paper.path)
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise Refused(Code.EMPTY, "The file is empty.")
    return _binary(path, head, paper) or _text(path, head, paper)


def _binary(path: Path, head: bytes, paper: Paper) -> str:
    """By the first bytes; '' for what may be text."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(path)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _compound(path, suffix=paper.suffix)
    if head.startswith(b"BM") and is_text(head):
        return ""
    return next((kind for mark, kind in _MARKS if mark.match(head)), "")


def _archive(path: Path) -> str:
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
            named = archive.read("mimetype")[:100].decode("ascii", "replace").strip() if "mimetype" in names else ""
    except (BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as broken:
        raise Refused(Code.CORRUPT, "The file is a damaged archive.") from broken
    if named in _ZIPPED:
        return named
    for folder, office in _WORKBOOK_PARTS:
        if any(name.replace("\\", "/").lstrip("/").lower().startswith(folder) for name in names):
            return office
    if "META-INF/container.xml" in names:
        return kinds.EPUB
    raise Refused(Code.UNSUPPORTED, "The file is an archive: store its members one by one.")


def _compound(path: Path, *, suffix: str) -> str:
    import olefile  # noqa: PLC0415 - only old office files need it

    try:
        with olefile.OleFileIO(str(path)) as ole:
            roots = {entry[0].lower() for entry in ole.listdir(streams=True, storages=False)}
    except (OSError, ValueError, IndexError, TypeError, AttributeError) as broken:
        raise Refused(Code.CORRUPT, "The file is a damaged office document.") from broken
    if roots & {"encryptedpackage", "encryptioninfo"} or _is_encrypted(path):
        raise Refused(Code.ENCRYPTED, "The file is protected by a password: store a copy without one.")
    for stream, kind in _OLE:
        if stream in roots:
            return kind
    if suffix in _OLDER:
        return _OLDER[suffix]
    raise Refused(Code.UNSUPPORTED, "The file is an office document of no supported kind.")


def _is_encrypted(path: Path) -> bool:
    import msoffcrypto  # noqa: PLC0415 - only old office files need it

    try:
        with path.open("rb") as file:
            return bool(msoffcrypto.OfficeFile(file).is_encrypted())
    except Exception:  # noqa: BLE001 - it raises what it likes on damaged files; the reader will name the damage
        return False


def _text(path: Path, head: bytes, paper: Paper) -> str:
    if head.startswith(b"RIFF") or not is_text(head):
        raise Refused(Code.UNSUPPORTED, f"The content is binary data{_magic_name(head)}.")
    named = kinds.text_type(suffix=paper.suffix, declared=paper.declared_type)
    bare = (
        head.replace(b"\x00", b"")
        .removeprefix(b"\xef\xbb\xbf")
        .removeprefix(b"\xff\xfe")
        .removeprefix(b"\xfe\xff")
        .lstrip()
    )
    if named in {
        kinds.PLAIN,
        kinds.HTML,
        kinds.XML,
        kinds.JSON,
        kinds.EMAIL,
        kinds.MBOX,
        kinds.MHTML,
        kinds.CSV,
        kinds.NOTEBOOK,
    }:
        return _by_beginning(path, bare, named)
    return named


def _by_beginning(path: Path, bare: bytes, named: str) -> str:
    if bare.startswith((b"{", b"[")) and named != kinds.CSV and _is_json(path):
        return kinds.NOTEBOOK if named == kinds.NOTEBOOK and b'"cells"' in path.read_bytes() else kinds.JSON
    if bare.startswith(b"From ") and (named == kinds.MBOX or _MAIL.search(bare[:4096])):
        return kinds.MBOX
    headed = _HEADERS.match(bare)
    if headed and _MAIL.search(headed[0]):
        return kinds.MHTML if named == kinds.MHTML else kinds.EMAIL
    return _markup(bare[:4096], named)


def _markup(bare: bytes, named: str) -> str:
    """HTML and XML by their beginnings: a text that merely mentions a tag stays text."""
    without = re.sub(rb"<!--.*?-->", b"", bare, flags=re.DOTALL).lstrip()
    if named == kinds.HTML:
        return kinds.HTML if _HTML.search(bare) or b"<" in bare else kinds.PLAIN
    if re.match(rb"(?:<\?xml[^>]*>\s*)?(?:<!doctype\s+html|<html[\s>])", without, re.IGNORECASE):
        return kinds.HTML
    if named == kinds.XML or without.startswith(b"<?xml"):
        return kinds.XML if _XML.match(without) or without.startswith(b"<!") else kinds.PLAIN
    return named if named in {kinds.CSV, kinds.EMAIL, kinds.MHTML} else kinds.PLAIN


def _is_json(path: Path) -> bool:
    """JSON, or JSON Lines in UTF-8."""
    data = path.read_bytes()
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return _is_json_lines(data)
    return True


def _is_json_lines(data: bytes) -> bool:
    try:
        return all(isinstance(value, (dict, list)) for value in json_values(data.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return False


def _magic_name(head: bytes) -> str:
    try:
        import magic  # noqa: PLC0415 - needs libmagic, which may be absent

        return f" ({magic.from_buffer(head[:4096], mime=True)})"
    except Exception:  # noqa: BLE001 - only for a friendlier sentence
        return ""
