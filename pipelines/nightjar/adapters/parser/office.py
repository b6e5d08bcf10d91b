"""Word and PowerPoint through unstructured; older and rarer kinds after a translation by pandoc or LibreOffice."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile

from unstructured.partition.docx import partition_docx
from unstructured.partition.pptx import partition_pptx

from nightjar.adapters.parser.drafts import Draft, from_unstructured
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.adapters.parser.markup import html_draft
from nightjar.adapters.parser.media_types import EPUB, ODP, ODS, ODT, ORG, PPT, RST, RTF
from nightjar.adapters.parser.sheets import workbook_draft
from nightjar.errors import Code

_NO_LANGUAGE: Final = [""]
_UNPACKED: Final = 1 << 30
_TYPES: Final = "[Content_Types].xml"
_KIN: Final = re.compile(
    rb"application/vnd\.(?:ms-word\.(?:document|template)\.macroEnabled(?:Template)?|openxmlformats-officedocument\.wordprocessingml\.template|ms-powerpoint\.(?:presentation|slideshow|template)\.macroEnabled|openxmlformats-officedocument\.presentationml\.(?:slideshow|template))(?:\.main)?\+xml"
)
_PLAIN_KIN: Final = {
    b"document": b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    b"presentation": b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}
_PANDOC: Final = {EPUB: "epub", ODT: "odt", ORG: "org", RST: "rst", RTF: "rtf"}
_SOFFICE: Final = {PPT: "pptx", ODP: "pptx", ODS: "xlsx"}


def read_docx(paper: Paper) -> Draft:
    """Headings with their level, tables by rows, pages where Word noted its page breaks."""
    return _docx_draft(Path(paper.path))


def _docx_draft(path: Path) -> Draft:
    with _plainly_typed(path) as file:
        parts = partition_docx(file=file, languages=_NO_LANGUAGE)
    return Draft(from_unstructured(parts, headings=False), title=_core_title(path))


def read_pptx(paper: Paper) -> Draft:
    """Slides as pages, with their notes."""
    return _pptx_draft(Path(paper.path))


def _pptx_draft(path: Path) -> Draft:
    with _plainly_typed(path) as file:
        parts = partition_pptx(file=file, languages=_NO_LANGUAGE)
    return Draft(from_unstructured(parts), title=_core_title(path))


def read_through_pandoc(paper: Paper) -> Draft:
    """odt, rtf, rst, org and epub become HTML; pandoc's sandbox keeps it from reading any other file."""
    source = _PANDOC[paper.media_type]
    if source in {"epub", "odt"}:
        check_archive(Path(paper.path))
    command = [_pandoc(), "--sandbox", "--from", source, "--to", "html", "--standalone", "--wrap=none", paper.path]
    made = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell; the path is ours
    if made.returncode:
        raise Refused(Code.CORRUPT, f"pandoc could not read the file as {source}.")
    draft = html_draft(made.stdout.decode("utf-8", "replace"))
    return Draft(draft.elements, title="" if draft.title in {Path(paper.path).stem, "-"} else draft.title)


def _pandoc() -> str:
    found = shutil.which("pandoc")
    if found:
        return found
    try:
        import pypandoc  # noqa: PLC0415 - asked only when the program is not on the path

        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError) as absent:
        raise Refused(Code.MISSING_TOOL, "Install pandoc to read .odt, .rtf, .rst, .org and .epub files.") from absent


def read_through_soffice(paper: Paper) -> Draft:
    """doc, ppt, ods and odp become their younger kin in this job's folder."""
    target = _SOFFICE.get(paper.media_type, "docx")
    path = _converted(paper, target)
    read = {"docx": _docx_draft, "pptx": _pptx_draft, "xlsx": workbook_draft}[target]
    return read(path)


def _converted(paper: Paper, target: str) -> Path:
    program = shutil.which("soffice")
    if program is None:
        raise Refused(Code.MISSING_TOOL, "Install LibreOffice to read .doc, .ppt, .ods and .odp files.")
    folder = Path.cwd()
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [
        program,
        profile,
        "--headless",
        "--norestore",
        "--convert-to",
        target,
        "--outdir",
        str(folder / "out"),
        paper.path,
    ]
    subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell; it reports failures only by absence
    made = sorted((folder / "out").glob(f"*.{target}"))
    if not made:
        raise Refused(Code.CORRUPT, "LibreOffice could not read the file.")
    return made[0]


def _plainly_typed(path: Path) -> IO[bytes]:
    """The file, or a copy in which a template, show or macro document calls itself plain: the parts are alike."""
    check_archive(path)
    with ZipFile(path) as archive:
        types = archive.read(_TYPES)
        plain = _KIN.sub(
            lambda kin: _PLAIN_KIN[b"presentation" if b"present" in kin[0] or b"slide" in kin[0] else b"document"],
            types,
        )
        if plain == types:
            return path.open("rb")
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        with ZipFile(copy, "w", ZIP_DEFLATED) as renamed:
            for name in dict.fromkeys(archive.namelist()):
                renamed.writestr(name, plain if name == _TYPES else archive.read(name))
    copy.seek(0)
    return copy


def check_archive(path: Path) -> None:
    """Refuse what would unpack to more than a gigabyte before anybody unpacks it."""
    with ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _UNPACKED:
            raise Refused(Code.TOO_LARGE, f"It unpacks to more than {_UNPACKED >> 20} MiB.")


def _core_title(path: Path) -> str:
    from lxml import etree  # noqa: PLC0415 - beside its only use

    with ZipFile(path) as archive:
        if "docProps/core.xml" not in archive.namelist():
            return ""
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            root = etree.fromstring(archive.read("docProps/core.xml"), parser=parser)
        except etree.XMLSyntaxError:  # a damaged property is no reason to lose the text
            return ""
    return (root.findtext("{http://purl.org/dc/elements/1.1/}title") or "").strip()
