r"""RTF's characters in Unicode: each font has a code page of its own, and pandoc knows only Western ones.

The bytes are copied token by token; escaped bytes (`\'83\'5d`) and Unicode characters with their fallback are written
anew as `\u` escapes without one, which every reader understands. Nothing else of the file is touched.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

_TOKEN: Final = re.compile(
    rb"\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|(?P<brace>[{}])|\\(?P<sign>[^a-zA-Z])|(?P<line>[\r\n]+)|(?P<text>[^\\{}\r\n]+)|(?P<stray>\\)",
    re.DOTALL,
)
_PAGES: Final = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_SYMBOLS: Final = 2  # a charset of pictures: its bytes are no letters
_DOUBLE: Final = {"cp932", "cp949", "gb18030", "gbk", "cp936", "big5", "cp950"}
_WESTERN: Final = "cp1252"
_LEAD: Final = 0x80


@dataclass(frozen=True, slots=True)
class _State:
    r"""What a group inherits: the font, how many characters stand in for a `\u`, whether fonts or styles are listed."""

    font: int = 0
    fallback: int = 1
    listing: bool = False
    naming: bool = False


def in_unicode(data: bytes) -> bytes:
    r"""The same RTF with every character above ASCII as a `\u` escape."""
    return b"".join(_Reader().read(data))


class _Reader:
    """One pass over a file."""

    def __init__(self) -> None:
        self._state = _State()
        self._outer: list[_State] = []
        self._page = _WESTERN
        self._default_font = 0
        self._pages: dict[int, str] = {}
        self._bytes = b""  # escaped bytes whose characters are not written yet
        self._skip = 0  # characters of a fallback still to be passed over
        self._half = 0  # the first of two surrogates

    def read(self, data: bytes) -> Iterator[bytes]:
        for token in _TOKEN.finditer(data):
            kind = token.lastgroup
            if kind == "hex":
                yield from self._byte(int(token["hex"], 16))
            elif kind in {"word", "number"}:
                yield from self._flushed()
                yield from self._word(token[0], token["word"], int(token["number"] or 1))
            elif kind == "line":
                yield token[0]
            else:
                yield from self._characters(token[0], kind)
        yield from self._flushed()

    def _byte(self, value: int) -> Iterator[bytes]:
        if self._skip:
            self._skip -= 1
        else:
            self._bytes += bytes([value])
        yield from ()

    def _characters(self, written: bytes, kind: str | None) -> Iterator[bytes]:
        """Braces, escaped signs and text; a double-byte character may end in one of them."""
        if kind == "brace":
            yield from self._flushed()
            self._skip = 0
            self._turn(written)
            yield written
            return
        passed = min(self._skip, 1 if kind == "sign" else len(written))
        self._skip -= passed
        rest = b"" if passed and kind == "sign" else written[passed:]
        if rest and self._wants_more():
            self._bytes += rest[-1:] if kind == "sign" else rest[:1]
            rest = b"" if kind == "sign" else rest[1:]
        for part in re.split(rb"([\x80-\xff]+)", rest):
            if part and part[0] >= _LEAD:
                self._bytes += part
            elif part:
                yield from self._flushed()
                yield part

    def _turn(self, brace: bytes) -> None:
        if brace == b"{":
            self._outer.append(self._state)
        elif self._outer:
            self._state = self._outer.pop()

    def _word(self, written: bytes, word: bytes, number: int) -> Iterator[bytes]:
        if word == b"u":
            self._skip = self._state.fallback
            yield from self._unicode(number % 0x10000 if number < 0 else number)
            return
        if word == b"uc":
            self._state = replace(self._state, fallback=max(0, number))
        elif word == b"fonttbl":
            self._state = replace(self._state, listing=True)
        elif word == b"stylesheet":
            self._state = replace(self._state, naming=True)
        elif word == b"f":
            self._state = replace(self._state, font=number)
        elif word == b"deff":
            self._default_font = number
        elif word == b"plain":
            self._state = replace(self._state, font=self._default_font)
        elif word == b"ansicpg":
            self._page = _known(f"cp{number}")
        elif word == b"fcharset" and self._state.listing:
            self._pages[self._state.font] = self._page_of(number)
        yield written

    def _page_of(self, charset: int) -> str:
        if charset == _SYMBOLS:
            return ""
        if charset == 0 and self._page in _DOUBLE:
            return _WESTERN
        return _PAGES.get(charset, self._page)

    def _charset(self) -> str:
        return self._pages.get(self._state.font, self._page)

    def _wants_more(self) -> bool:
        """True in the middle of a double-byte character."""
        if not self._bytes or self._charset() not in _DOUBLE:
            return False
        decoder = codecs.getincrementaldecoder(self._charset())("replace")
        decoder.decode(self._bytes)
        return bool(decoder.getstate()[0])

    def _flushed(self) -> Iterator[bytes]:
        held, self._bytes = self._bytes, b""
        page = self._charset()
        if held and page:
            yield from map(self._escape, map(ord, held.decode(page, "replace")))
        elif held:
            yield b"".join(b"\\'%02x" % value for value in held)

    def _unicode(self, code: int) -> Iterator[bytes]:
        if 0xD800 <= code < 0xDC00:  # noqa: PLR2004 - the first half of a pair
            self._half = code
            return
        if 0xDC00 <= code < 0xE000 and self._half:  # noqa: PLR2004 - the second
            code = 0x10000 + ((self._half - 0xD800) << 10) + (code - 0xDC00)
        self._half = 0
        yield self._escape(code)

    def _escape(self, code: int) -> bytes:
        if self._state.naming:
            return b"?"  # pandoc takes a style's name for text when it holds an escape
        return b"\\'%02x" % code if code < _LEAD else b"{\\uc0\\u%d }" % code


def _known(page: str) -> str:
    try:
        return codecs.lookup(page).name
    except LookupError:
        return _WESTERN
