"""Which programs and packages parsing finds on this machine, for `doctor` and for the recipe; no parser is loaded."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from nightjar.adapters.parser.sentences import MODEL, RULES_VERSION

RULES: Final = 4  # raise it when our own reading rules change what comes out of the same bytes
_UNUSED: Final = "not installed"


@dataclass(frozen=True, slots=True)
class ParserTool:
    """One program or package: whether it is here, its version (or how to get it), and which formats need it."""

    name: str
    present: bool
    remedy: str
    unlocks: tuple[str, ...]


def parser_tools() -> list[ParserTool]:
    """Every tool that parsing can use, present or not, the indispensable ones first."""
    return [
        _package("unstructured", "docx", "pptx", "html", "eml", "msg", "xml"),
        _package("pypdfium2", "pdf"),
        ParserTool("pandoc", pandoc_present(), "apt install pandoc", ("odt", "rtf", "rst", "org", "epub")),
        ParserTool(
            "LibreOffice",
            _program("soffice"),
            "apt install libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui",
            ("doc", "ppt", "ods", "odp"),
        ),
        ParserTool("tesseract", _program("tesseract"), "apt install tesseract-ocr", ("images", "scanned pdf")),
        _layout(),
        ParserTool("libmagic", _libmagic(), "apt install libmagic1", ("names of unsupported types",)),
        _sentences(),
    ]


def parse_recipe(*, strategy: str, languages: Sequence[str]) -> Mapping[str, str]:
    """What shapes a result: change one of these, and documents are read anew."""
    tools = {"pandoc": pandoc_present(), "soffice": _program("soffice"), "tesseract": _program("tesseract")}
    return {
        "parser": "unstructured",
        "rules": str(RULES),
        "unstructured": _version("unstructured"),
        "pypdfium2": _version("pypdfium2"),
        "strategy": strategy,
        "languages": "+".join(languages),
        "sentences": f"{MODEL}-{_version('en-core-web-sm')}" if find_spec(MODEL) else RULES_VERSION,
        "tools": "+".join(name for name, present in tools.items() if present),
    }


def pandoc_present() -> bool:
    """On the path, or inside `pypandoc_binary`."""
    if _program("pandoc"):
        return True
    spec = find_spec("pypandoc")
    folders = spec.submodule_search_locations or [] if spec else []
    return any((Path(folder) / "files" / "pandoc").exists() for folder in folders)


def _program(name: str) -> bool:
    return shutil.which(name) is not None


def _libmagic() -> bool:
    """Whether the parser's children will have it: the Python package looks for the C library on import."""
    try:
        import magic  # noqa: F401, PLC0415 - asked by `doctor` alone
    except ImportError:
        return False
    return True


def _package(name: str, *unlocks: str) -> ParserTool:
    found = _version(name)
    return ParserTool(name, found != _UNUSED, "pip install 'nightjar[parse]'" if found == _UNUSED else found, unlocks)


def _sentences() -> ParserTool:
    """Never missing: rules of Nightjar's own stand in for unstructured's model."""
    by = MODEL if find_spec(MODEL) else f"Nightjar's {RULES_VERSION}"
    return ParserTool("sentences", True, "nothing to do", (f"headings in plain text, by {by}",))  # noqa: FBT003 - a fact, see above


def _layout() -> ParserTool:
    present = find_spec("unstructured_inference") is not None and _program("pdftoppm")
    remedy = "pip install 'nightjar[layout]' and apt install poppler-utils"
    return ParserTool("nightjar[layout]", present, remedy, ("pdf with strategy fast, hi_res or ocr_only",))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return _UNUSED
