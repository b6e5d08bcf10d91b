"""Bytes to characters: what was declared, then UTF-8, then detection; a failure is recorded, never papered over."""

from __future__ import annotations

import codecs
import re
from typing import Final

from nightjar.adapters.parser.jobs import Refused
from nightjar.adapters.parser.western import reads_western
from nightjar.errors import Code

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META: Final = re.compile(
    rb"""(?:<meta[^>]{0,200}?charset\s*=|<\?xml[^>]{0,200}?encoding\s*=)\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE
)
_WIDER: Final = {
    "ascii": "utf-8",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
_WESTERN: Final = {"ascii", "iso8859-1", "cp1252"}
_SAMPLE: Final = 64 * 1024
_DAMAGE_SHARE: Final = 0.01
_FEW: Final = 2  # stray control characters that even a short text may hold
_DAMAGE: Final = re.compile("[\ufffd\x80-\x9f]")


def decode(data: bytes, *, declared: str = "", markup: bool = False) -> tuple[str, str]:
    """(text, charset) with line ends as LF.

    Raises:
        Refused: mojibake, when no charset fits.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _unmarked(data, name)
    wide = _wide(data)
    named = [declared, *(_declared_inside(data) if markup else [])]
    for name in [wide, *(_known(name) for name in named), "utf-8"]:
        text = _try(data, name)
        if text is not None:
            return _line_ends(text), name
    return _detected(data)


def is_text(data: bytes) -> bool:
    """True when the head of a file reads as text in some charset: hardly any control characters, or UTF-16's."""
    head = data[:_SAMPLE]
    if any(head.startswith(mark) for mark, _ in _MARKS) or _wide(head):
        return True
    controls = len(re.findall(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]", head))
    return controls <= max(_FEW, len(head) * _DAMAGE_SHARE)


def _unmarked(data: bytes, name: str) -> tuple[str, str]:
    text = data.decode(name, "replace")
    if len(_DAMAGE.findall(text)) > len(text) * _DAMAGE_SHARE:
        raise Refused(Code.MOJIBAKE, f"The file is marked as {name} but holds other characters.")
    return _line_ends(text.removeprefix("\ufeff")), name


def _wide(data: bytes) -> str:
    """UTF-16 without a mark shows as NULs at every other byte, or as one high byte for nearly every character."""
    head = data[:2048]
    if len(head) < 4 or len(data) % 2:  # noqa: PLR2004 - too short to tell
        return ""
    for name, low, high in (("utf-16-le", head[0::2], head[1::2]), ("utf-16-be", head[1::2], head[0::2])):
        spaces = sum(1 for a, b in zip(low, high, strict=False) if b == 0 and a in b" \n\r<>/")
        if high.count(0) > len(high) * 0.4 and low.count(0) < len(low) * 0.1:
            return name
        if spaces > len(high) * 0.08 and low.count(0) < len(low) * 0.05:
            return name
    return ""


def _declared_inside(data: bytes) -> list[str]:
    found = _META.search(data[:4096])
    return [found[1].decode("ascii", "replace")] if found else []


def _known(name: str) -> str:
    """Python's name of a charset, as browsers understand it: Latin-1 means Windows-1252, GB2312 means GB18030."""
    try:
        plain = codecs.lookup(name.strip().strip("\"'")).name if name else ""
    except (LookupError, ValueError):
        return ""
    return _WIDER.get(plain, plain)


def _try(data: bytes, name: str) -> str | None:
    if not name or name.startswith("utf-16") != bool(_wide(data)):
        return None
    if name in _WESTERN and not data.isascii() and _try(data, "utf-8") is not None:
        return None  # UTF-8 cannot be met by chance; a Western label often is a server's default
    try:
        text = data.decode(name)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None
    return text if len(_DAMAGE.findall(text)) <= len(text) * _DAMAGE_SHARE else None


def _detected(data: bytes) -> tuple[str, str]:
    if (text := _western(data)) is not None:
        return _line_ends(text), "cp1252"
    from charset_normalizer import from_bytes  # noqa: PLC0415 - costs more than most documents do

    best = from_bytes(data[:_SAMPLE]).best()
    text = data.decode(best.encoding, "replace") if best else ""
    if best is None or len(_DAMAGE.findall(text)) > len(text) * _DAMAGE_SHARE:
        raise Refused(Code.MOJIBAKE, "The text's character encoding could not be determined: store it as UTF-8.")
    return _line_ends(text), best.encoding


def _western(data: bytes) -> str | None:
    """As Windows-1252, where it reads as one of its languages: detectors take a few letters for many other charsets."""
    text = _try(data, "cp1252")
    return text if text is not None and reads_western(text) else None


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
