"""Office Open XML packages made plain, so that the libraries which read them find every word.

Those libraries know one dialect of the format (not ISO "strict"), know a template or show only as a document or
presentation, and pass over what their authors' programs wrap: accepted changes, text boxes, notes, diagrams. The copy
made here says the same in the words they know; a package that needs nothing is read as it is.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile

from nightjar.adapters.parser.jobs import Refused
from nightjar.adapters.parser.ooxml_parts import transitional
from nightjar.adapters.parser.ooxml_slides import plain_slide
from nightjar.adapters.parser.ooxml_text import plain_body
from nightjar.errors import Code

_UNPACKED: Final = 1 << 30
_TYPES: Final = "[Content_Types].xml"
_KIN: Final = re.compile(
    rb"application/vnd\.(?:ms-word\.(?:document|template)\.macroEnabled(?:Template)?"
    rb"|openxmlformats-officedocument\.wordprocessingml\.template"
    rb"|ms-powerpoint\.(?:presentation|slideshow|template)\.macroEnabled"
    rb"|openxmlformats-officedocument\.presentationml\.(?:slideshow|template))(?:\.main)?\+xml"
)
_DOCUMENT: Final = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_PRESENTATION: Final = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
_STRICT: Final = b"http://purl.oclc.org/ooxml/"
_MAIN: Final = re.compile(r"(?:word/document|xl/workbook|ppt/presentation)\d*\.xml")
_BODY: Final = re.compile(r"word/document\d*\.xml")
_SLIDE: Final = re.compile(r"ppt/slides/[^/]+\.xml")


def check_archive(path: Path) -> None:
    """Refuse what would unpack to more than a gigabyte before anybody unpacks it."""
    with ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _UNPACKED:
            raise Refused(Code.TOO_LARGE, f"It unpacks to more than {_UNPACKED >> 20} MiB.")


def plain_package(path: Path) -> IO[bytes]:
    """The file, or a temporary copy made plain; the caller closes it.

    Raises:
        Refused: too_large, when it would unpack to more than a gigabyte.
    """
    check_archive(path)
    with ZipFile(path) as archive:
        changed = dict(_changed(archive))
        if not changed:
            return path.open("rb")
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        with ZipFile(copy, "w", ZIP_DEFLATED, compresslevel=1) as renewed:
            for name in dict.fromkeys(archive.namelist()):
                renewed.writestr(name, changed.get(name) or archive.read(name))
    copy.seek(0)
    return copy


def _changed(archive: ZipFile) -> Iterator[tuple[str, bytes]]:
    """Each part that must differ, with its new bytes."""
    names = archive.namelist()
    strict = any(_STRICT in archive.read(name) for name in names if _MAIN.fullmatch(name))
    for name in names:
        spoken = strict and name.endswith((".xml", ".rels"))
        if not (spoken or name == _TYPES or _BODY.fullmatch(name) or _SLIDE.fullmatch(name)):
            continue
        before = archive.read(name)
        after = _plain(archive, name, transitional(before) if spoken else before)
        if after != before:
            yield name, after


def _plain(archive: ZipFile, name: str, data: bytes) -> bytes:
    if name == _TYPES:
        return _KIN.sub(lambda kin: _DOCUMENT if b"word" in kin[0] else _PRESENTATION, data)
    if _BODY.fullmatch(name):
        return plain_body(archive, name, data)
    return plain_slide(archive, name, data) if _SLIDE.fullmatch(name) else data
