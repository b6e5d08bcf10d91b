"""PDF: the text layer by pypdfium2, pictures of pages by tesseract, unstructured's own strategies on request."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium

from nightjar.adapters.parser import ocr
from nightjar.adapters.parser.drafts import Draft, from_unstructured
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.adapters.parser.pdf_blocks import elements_of_pages
from nightjar.adapters.parser.pdf_rows import Row, Word, rows_of
from nightjar.errors import Code
from nightjar.model import Element

_MOST_PAGES: Final = 20_000
_OCR_SCALE: Final = 200 / 72  # dots per inch that tesseract reads well, over PDF's own unit
_OCR_PIXELS: Final = 25_000_000
_NAMED_PAGES: Final = 10
_ARABIC: Final = re.compile("[\u0600-\u06ff]")


def read_pdf(paper: Paper, *, strategy: str, languages: Sequence[str]) -> Draft:
    """Elements with their page.

    Raises:
        Refused: missing_tool where the whole document needs OCR, or a strategy needs packages, that are not installed.
    """
    if strategy != "auto":
        return _by_unstructured(paper, strategy=strategy, languages=languages)
    document = pypdfium2.PdfDocument(paper.path)
    try:
        if len(document) > _MOST_PAGES:
            raise Refused(Code.TOO_LARGE, f"It has more than {_MOST_PAGES:,} pages.")
        return _by_text_layer(document, languages=languages)
    finally:
        document.close()


def _by_text_layer(document: Any, *, languages: Sequence[str]) -> Draft:
    pages = [_page_rows(document, index) for index in range(len(document))]
    silent = [index for index, rows in enumerate(pages) if not rows]
    pictured = [index for index in silent if _shows_something(document, index)]
    elements = list(elements_of_pages(pages))
    if pictured and not ocr.tesseract_present():
        if not elements:
            raise Refused(Code.MISSING_TOOL, "Install tesseract-ocr: the pages are pictures without a text layer.")
        return Draft(elements, title=_title(document), notes=(_unread(pictured),))
    read = [element for index in pictured for element in _read_picture(document, index, languages=languages)]
    merged = sorted([*elements, *read], key=lambda element: element.page or 0)
    return Draft(merged, title=_title(document), notes=(f"{len(pictured)} page(s) read by OCR",) if read else ())


def _unread(pages: Sequence[int]) -> str:
    named = ", ".join(str(index + 1) for index in pages[:_NAMED_PAGES])
    more = ", …" if len(pages) > _NAMED_PAGES else ""
    return f"{len(pages)} page(s) without a text layer not read, tesseract-ocr is missing: {named}{more}"


def _page_rows(document: Any, index: int) -> list[Row]:
    """The rows of one page; a page that cannot be loaded is one without text."""
    try:
        page = _flat_page(document, index)
    except pypdfium2.PdfiumError:
        return []
    try:
        text_page = page.get_textpage()
        words = list(_words(text_page.raw))
        text_page.close()
        return rows_of(words, height=page.get_height())
    except pypdfium2.PdfiumError:
        return []
    finally:
        page.close()


def _flat_page(document: Any, index: int) -> Any:
    """A page with what was filled in or written over it (form fields, text notes) made part of its text."""
    page = document[index]
    if not any(_is_written_over(page, place) for place in range(pdfium.FPDFPage_GetAnnotCount(page.raw))):
        return page
    pdfium.FPDFPage_Flatten(page.raw, pdfium.FLAT_NORMALDISPLAY)
    page.close()
    return document[index]


def _is_written_over(page: Any, place: int) -> bool:
    annotation = pdfium.FPDFPage_GetAnnot(page.raw, place)
    if not annotation:
        return False
    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    pdfium.FPDFPage_CloseAnnot(annotation)
    return kind in {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP, pdfium.FPDF_ANNOT_WIDGET}


def _words(text_page: Any) -> Iterator[Word]:
    """Words with their boxes, in pdfium's reading order; `breaks` tells where it saw a line end before the word.

    An Arabic ligature is several letters in one box (`glyph` is where they begin), which pdfium gives last to first.
    """
    letters: list[str] = []
    first, last, glyph, breaks = 0, 0, 0, True
    for index in range(pdfium.FPDFText_CountChars(text_page)):
        letter = _letter(pdfium.FPDFText_GetUnicode(text_page, index))
        if letter.isspace():
            if letters:
                yield _word(text_page, "".join(letters), first, last, breaks=breaks)
                breaks = False
            breaks = breaks or letter == "\n"
            letters = []
        elif letter:
            first = first if letters else index
            if letters and _ARABIC.match(letter) and _box(text_page, index) == _box(text_page, last):
                letters.insert(glyph, letter)
            else:
                glyph = len(letters)
                letters.append(letter)
            last = index
    if letters:
        yield _word(text_page, "".join(letters), first, last, breaks=breaks)


def _letter(code: int) -> str:
    """Pdfium marks a hyphen at a line's end with U+0002; surrogates and NULs are what fonts without a mapping give."""
    if code == 2 or code == 0xAD:  # noqa: PLR1714, PLR2004 - the two marks of a soft hyphen
        return "\u00ad"
    return "" if code in {0, 0xFFFE, 0xFFFF} or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)  # noqa: PLR2004 - Unicode's own limits


def _word(text_page: Any, text: str, first: int, last: int, *, breaks: bool) -> Word:
    left, _, bottom, _ = _box(text_page, first)
    _, right, _, top = _box(text_page, last)
    size = pdfium.FPDFText_GetFontSize(text_page, first) * _scale(text_page, first)
    return Word(text, left, right, bottom, max(top, bottom), round(abs(size), 1), _is_bold(text_page, first), breaks)


def _box(text_page: Any, index: int) -> tuple[float, float, float, float]:
    """Left, right, bottom, top in points; the loose box, which is as high as the line whatever the letter."""
    rect = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(text_page, index, ctypes.byref(rect))
    return rect.left, rect.right, min(rect.bottom, rect.top), max(rect.bottom, rect.top)


def _scale(text_page: Any, index: int) -> float:
    """Some producers set every font to 1 point and enlarge by the matrix."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text_page, index, ctypes.byref(matrix)):
        return 1.0
    return float((matrix.c**2 + matrix.d**2) ** 0.5) or 1.0


def _is_bold(text_page: Any, index: int) -> bool:
    name = ctypes.create_string_buffer(64)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text_page, index, name, 64, ctypes.byref(flags))
    return b"bold" in name.value.lower() or pdfium.FPDFText_GetFontWeight(text_page, index) >= 600  # noqa: PLR2004 - semibold


def _shows_something(document: Any, index: int) -> bool:
    """A page with no object at all is blank, not a picture."""
    try:
        page = document[index]  # held in a name: the handle dies with the object
    except pypdfium2.PdfiumError:
        return False
    shown = bool(pdfium.FPDFPage_CountObjects(page.raw))
    page.close()
    return shown


def _read_picture(document: Any, index: int, *, languages: Sequence[str]) -> Iterator[Element]:
    page = document[index]
    area = page.get_width() * page.get_height()
    scale = min(_OCR_SCALE, (_OCR_PIXELS / area) ** 0.5) if area > 0 else 1.0
    image = page.render(scale=scale, grayscale=True).to_pil()
    yield from ocr.picture_elements(image, languages=languages, page=index + 1)


def _title(document: Any) -> str:
    """The document's own title, unless it is rather a number that some program left there."""
    named = str(document.get_metadata_dict().get("Title") or "").strip()
    return named if sum(map(str.isalpha, named)) >= len(named) / 2 else ""


def _by_unstructured(paper: Paper, *, strategy: str, languages: Sequence[str]) -> Draft:
    try:
        from unstructured.partition.pdf import partition_pdf  # noqa: PLC0415 - an extra that most installations lack
    except ImportError as absent:
        raise Refused(
            Code.MISSING_TOOL, f"Install nightjar[layout] to read PDF with parse.strategy {strategy}."
        ) from absent
    parts = partition_pdf(filename=paper.path, strategy=strategy, languages=list(languages))
    return Draft(from_unstructured(parts))
