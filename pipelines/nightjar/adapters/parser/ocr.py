"""Pictures of text, read by tesseract."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from typing import Any, Final

from PIL import Image, ImageOps

from nightjar.adapters.parser.drafts import Draft
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.errors import Code
from nightjar.model import Element

_MOST_PIXELS: Final = 60_000_000
_BLANK_LINES: Final = re.compile(r"\n\s*\n")
_SPOKEN: Final = re.compile(r"[^\W\d_]{2,}")

Image.MAX_IMAGE_PIXELS = _MOST_PIXELS


def tesseract_present() -> bool:
    """True where the program can be found."""
    return shutil.which("tesseract") is not None


def read_image(paper: Paper, *, languages: Sequence[str]) -> Draft:
    """The text of one picture; of several frames the first."""
    if not tesseract_present():
        raise Refused(Code.MISSING_TOOL, "Install tesseract-ocr to read pictures of text.")
    with Image.open(paper.path) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise Refused(Code.TOO_LARGE, f"The picture has more than {_MOST_PIXELS // 1_000_000} million pixels.")
        upright = ImageOps.exif_transpose(image).convert("L")
    return Draft(list(picture_elements(upright, languages=languages)))


def picture_elements(image: Any, *, languages: Sequence[str], page: int | None = None) -> Iterator[Element]:
    """Paragraphs as tesseract separates them; specks that it took for letters are dropped."""
    import pytesseract  # noqa: PLC0415 - only pictures need it

    text = pytesseract.image_to_string(image, lang="+".join(_installed(languages)))
    for block in _BLANK_LINES.split(text):
        passage = " ".join(block.split())
        if _SPOKEN.search(passage) or any(c.isdigit() for c in passage):
            yield Element("NarrativeText" if len(passage.split()) > 5 else "Text", passage, page=page)  # noqa: PLR2004 - labels are short


def _installed(languages: Sequence[str]) -> list[str]:
    import pytesseract  # noqa: PLC0415 - only pictures need it

    present = set(pytesseract.get_languages())
    missing = [language for language in languages if language not in present]
    if missing:
        raise Refused(
            Code.MISSING_TOOL,
            f"Install tesseract's data for {', '.join(missing)} (tesseract-ocr-…) to read pictures of text.",
        )
    return list(languages)
