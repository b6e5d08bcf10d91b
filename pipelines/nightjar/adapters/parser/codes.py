"""Vendors' exceptions and exit statuses as quarantine codes; the first rule that fits decides.

Messages are ours: a vendor's text may quote the document.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import struct
import zipfile
import zlib
from typing import Final

from nightjar.adapters.parser.jobs import Refused
from nightjar.errors import Code

_NEAR_LIMIT: Final = 0.7
_TOOLS: Final = (
    (r"pandoc (was|not) ?found|No pandoc was found|install(ing)? pandoc|have the pandoc package", "pandoc"),
    (r"soffice|libreoffice", "LibreOffice"),
    (r"tesseract", "tesseract-ocr"),
    (r"poppler|PDFInfoNotInstalled", "poppler-utils"),
    (r"unstructured_inference|unstructured\[pdf\]|unstructured\[image\]", "nightjar[layout]"),
)
_RULES: Final = (
    (Code.EMPTY, r"EmptyDataError|No columns to parse", "The file holds no data."),
    (
        Code.TOO_LARGE,
        r"maximum of|DecompressionBomb|field larger than field limit|huge text node",
        "The content is larger than the parser's limits.",
    ),
    (
        Code.ENCRYPTED,
        r"Incorrect password|password protected|password-protected|is encrypted|Encrypted|PdfPasswordIncorrect",
        "The file is protected by a password: store a copy without one.",
    ),
    (
        Code.UNSUPPORTED,
        r"UnsupportedFileFormat|is not a (Word|PowerPoint)|not an Outlook MSG|UnidentifiedImage|XLRDError",
        "The content is of no supported format.",
    ),
    (Code.MOJIBAKE, r"Unicode(Decode|Encode)?Error", "The text's character encoding could not be determined."),
)
_CORRUPT_TYPES: Final = (
    KeyError,
    IndexError,
    AssertionError,
    AttributeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    EOFError,
)
_CORRUPT: Final = "The file is damaged: it could not be read as what it claims to be."


def verdict_of_exception(exc: BaseException, *, memory_bytes: int) -> Refused:
    """A reader's exception as (code, sentence); memory before all, since libraries report its end as damage."""
    if isinstance(exc, Refused):
        return exc
    if _out_of_memory(exc, memory_bytes=memory_bytes):
        return Refused(Code.OUT_OF_MEMORY, f"Reading it needs more than the {memory_bytes >> 20} MiB allowed.")
    if isinstance(exc, OSError) and exc.errno in {errno.EFBIG, errno.ENOSPC}:
        return Refused(Code.TOO_LARGE, "Reading it writes more to disk than allowed.")
    told = f"{type(exc).__name__}: {exc}"
    if isinstance(exc, (OSError, ImportError)) or type(exc).__name__.endswith(("NotFoundError", "NotInstalledError")):
        for pattern, tool in _TOOLS:
            if re.search(pattern, told, re.IGNORECASE):
                return Refused(Code.MISSING_TOOL, f"Install {tool} to read this file.")
    for code, pattern, sentence in _RULES:
        if re.search(pattern, told):
            return Refused(code, sentence)
    name = type(exc).__name__
    return Refused(
        Code.CORRUPT, _CORRUPT if isinstance(exc, _CORRUPT_TYPES) else f"The file could not be read ({name})."
    )


def _out_of_memory(exc: BaseException, *, memory_bytes: int) -> bool:
    if isinstance(exc, MemoryError) or (isinstance(exc, OSError) and exc.errno == errno.ENOMEM):
        return True
    peaks = [resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(peaks) >= _NEAR_LIMIT * memory_bytes


def verdict_of_exit(status: int, killed_for: Code | None, *, timeout_s: float, memory_bytes: int) -> Refused:
    """What a dead child says of its document: why we killed it, or the signal that the kernel did it with."""
    died_of = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if killed_for is Code.TIMED_OUT or died_of == signal.SIGXCPU:
        return Refused(Code.TIMED_OUT, f"Reading it took longer than the {timeout_s:g} s allowed.")
    if killed_for is Code.OUT_OF_MEMORY or died_of == signal.SIGKILL:
        return Refused(Code.OUT_OF_MEMORY, f"Reading it needs more than the {memory_bytes >> 20} MiB allowed.")
    if died_of == signal.SIGXFSZ:
        return Refused(Code.TOO_LARGE, "Reading it writes more to disk than allowed.")
    return Refused(Code.CORRUPT, "The parser broke down on this file.")
