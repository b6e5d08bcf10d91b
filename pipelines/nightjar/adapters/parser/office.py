"""Word and PowerPoint through unstructured; older and rarer kinds after a translation by pandoc or LibreOffice."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Final
from zipfile import ZipFile

from pptx import Presentation
from unstructured.partition.docx import partition_docx
from unstructured.partition.pptx import partition_pptx

from nightjar.adapters.parser.drafts import Draft, from_unstructured
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.adapters.parser.markup import html_draft
from nightjar.adapters.parser.media_types import ASCIIDOC, EPUB, ODP, ODS, ODT, ORG, PPT, RST, RTF, TEX
from nightjar.adapters.parser.ooxml import check_archive, plain_package
from nightjar.adapters.parser.plain import read_plain
from nightjar.adapters.parser.rtf import in_unicode
from nightjar.adapters.parser.sheets import workbook_draft
from nightjar.errors import Code
from nightjar.model import Element

_NO_LANGUAGE: Final = [""]
_PANDOC: Final = {ASCIIDOC: "asciidoc", EPUB: "epub", ODT: "odt", ORG: "org", RST: "rst", RTF: "rtf", TEX: "latex"}
_SOFFICE: Final = {PPT: "pptx", ODP: "pptx", ODS: "xlsx"}


def read_docx(paper: Paper) -> Draft:
    """Headings with their level, tables by rows, pages where Word noted its page breaks."""
    return _docx_draft(Path(paper.path))


def _docx_draft(path: Path) -> Draft:
    with plain_package(path) as file:
        parts = partition_docx(file=file, languages=_NO_LANGUAGE)
    return Draft(from_unstructured(parts, headings=False), title=_core_title(path))


def read_pptx(paper: Paper) -> Draft:
    """Slides as pages, with their notes."""
    return _pptx_draft(Path(paper.path))


def _pptx_draft(path: Path) -> Draft:
    with plain_package(path) as file:
        parts = partition_pptx(file=file, languages=_NO_LANGUAGE)
        file.seek(0)
        spoken = list(_speaker_notes(file))
    slides = [*_titled_slides(from_unstructured(parts)), *spoken]
    return Draft(sorted(slides, key=lambda element: element.page or 0), title=_core_title(path))


def _speaker_notes(file: IO[bytes]) -> Iterator[Element]:
    """What the speaker says to a slide, as text of that slide; unstructured puts it before the slide's own title."""
    for number, slide in enumerate(Presentation(file).slides, start=1):
        frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if frame is not None:
            yield Element("NarrativeText", frame.text, page=number)


def _titled_slides(elements: Sequence[Element]) -> Iterator[Element]:
    """A slide's heading is its title, else the short line it begins with; other short lines are text."""
    titled = {element.page for element in elements if element.kind == "Title" and element.depth == 0}
    for element in elements:
        if element.kind == "Title" and element.depth and element.page in titled:
            yield replace(element, kind="Text", depth=None)
        else:
            yield element
        titled.add(element.page)


def read_through_pandoc(paper: Paper) -> Draft:
    """odt, rtf, rst, org and epub become HTML; pandoc's sandbox keeps it from reading any other file."""
    source = _PANDOC[paper.media_type]
    if source in {"epub", "odt"}:
        check_archive(Path(paper.path))
    command = [_pandoc(), "--sandbox", "--from", source, "--to", "html", "--standalone", "--wrap=none"]
    given = in_unicode(Path(paper.path).read_bytes()) if source == "rtf" else None
    command += ["-"] if given is not None else [paper.path]
    made = subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: S603 - no shell; our path
    if made.returncode:
        raise Refused(Code.CORRUPT, f"pandoc could not read the file as {source}.")
    draft = html_draft(made.stdout.decode("utf-8", "replace"))
    return Draft(draft.elements, title="" if draft.title in {Path(paper.path).stem, "-"} else draft.title)


def read_typeset(paper: Paper) -> Draft:
    """LaTeX and AsciiDoc as pandoc understands them, else as the text they are: pandoc may be absent or too old."""
    try:
        draft = read_through_pandoc(paper)
    except Refused:
        return read_plain(paper)
    return draft if draft.elements else read_plain(paper)


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
