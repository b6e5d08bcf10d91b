"""Media type to reader, and what every reader's yield has in common: cleaned, titled, named in its language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nightjar.adapters.parser import mail, markdown, markup, media_types, ocr, office, pdf, plain, sheets, structured
from nightjar.adapters.parser.drafts import Draft, given_title, one_line, tidy, title_of
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.adapters.parser.language import language_of
from nightjar.errors import Code
from nightjar.model import ParsedDocument

_READERS: Final[Mapping[str, Callable[[Paper], Draft]]] = {
    media_types.ASCIIDOC: office.read_typeset,
    media_types.CSV: sheets.read_delimited,
    media_types.DOC: office.read_through_soffice,
    media_types.DOCX: office.read_docx,
    media_types.EMAIL: mail.read_email,
    media_types.EPUB: office.read_through_pandoc,
    media_types.HTML: markup.read_html,
    media_types.JSON: structured.read_json,
    media_types.MARKDOWN: markdown.read_markdown,
    media_types.MBOX: mail.read_mailbox,
    media_types.MHTML: mail.read_email,
    media_types.MSG: mail.read_msg,
    media_types.NOTEBOOK: structured.read_notebook,
    media_types.ODP: office.read_through_soffice,
    media_types.ODS: office.read_through_soffice,
    media_types.ODT: office.read_through_pandoc,
    media_types.ORG: office.read_through_pandoc,
    media_types.PLAIN: plain.read_plain,
    media_types.PPT: office.read_through_soffice,
    media_types.PPTX: office.read_pptx,
    media_types.RST: office.read_through_pandoc,
    media_types.RTF: office.read_through_pandoc,
    media_types.TEX: office.read_typeset,
    media_types.TSV: sheets.read_delimited,
    media_types.VTT: plain.read_subtitles,
    media_types.XLS: sheets.read_old_workbook,
    media_types.XLSX: sheets.read_workbook,
    media_types.XML: markup.read_xml,
}


def read(paper: Paper, *, strategy: str, languages: tuple[str, ...]) -> ParsedDocument:
    """One document's elements.

    Raises:
        Refused: unsupported, no_text, or a reader's own verdict; vendors' exceptions pass through to the child.
    """
    draft = _draft(paper, strategy=strategy, languages=languages)
    elements = tidy(draft.elements)
    if not elements:
        raise Refused(Code.NO_TEXT, "It was read, but holds no text.")
    title = given_title(draft.title) or one_line(title_of(elements))
    return ParsedDocument(paper.media_type, draft.charset, title, language_of(elements), elements, draft.notes)


def _draft(paper: Paper, *, strategy: str, languages: tuple[str, ...]) -> Draft:
    kind = paper.media_type
    if kind == media_types.PDF:
        return pdf.read_pdf(paper, strategy=strategy, languages=languages)
    if kind.startswith("image/"):
        return ocr.read_image(paper, languages=languages)
    if media_types.is_code(kind):
        return plain.read_code(paper)
    if kind not in _READERS:
        raise Refused(Code.UNSUPPORTED, f"Files of type {kind or 'unknown'} are not supported.")
    return _READERS[kind](paper)
