r"""RTF's characters: what each escape means, and that only it is touched."""

from __future__ import annotations

import re

import pytest

from nightjar.adapters.parser.rtf import in_unicode

_FONTS = rb"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 MS Gothic;}{\f2\fcharset204 Arial;}{\f3\fcharset2 Symbol;}}"


def shown(data: bytes) -> str:
    """The text after the font table with `\\u` escapes as characters, other words left out."""
    body = in_unicode(rb"{\rtf1\ansi\ansicpg1252\deff0" + _FONTS + data + b"}").partition(b"}}")[2][:-1].decode()
    written = re.sub(r"\{\\uc0\\u(\d+) \}", lambda found: chr(int(found[1])), body)
    return re.sub(r"\\[a-z]+-?\d* ?|[{}]", "", written)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (rb"caf\'e9", "café"),
        (rb"\f1 \'83\'5d\'83\'8b", "ゾル"),
        (rb"\f1 \'83]x", "ゾx"),
        (rb"\f1 \'83\\x", "ソx"),
        (rb"\f2 \'cf\'f0", "Пр"),
        (rb"{\f2 \'cf}\'e9", "Пé"),
        (rb"\f2 \'cf\plain \'e9", "Пé"),
        (rb"\u228\'3fb", "äb"),
        (rb"\uc2\u26085\'93\'fab", "日b"),
        (rb"\uc0\u26085 b", "日b"),
        (rb"\u-10179?\u-8704?", "😀"),
        (rb"\u8364?\u8364 ?", "€€"),
        (rb"\f3 \'b7", "\\'b7"),
        (b"caf\xe9", "café"),
        (rb"{\stylesheet{\s1 Aufz\'e4hlung;}}x", "Aufz?hlung;x"),
        (rb"one\par two", "onetwo"),
    ],
)
def test_characters_are_those_of_their_font(data: bytes, text: str) -> None:
    assert shown(data) == text


def test_ascii_comes_out_byte_for_byte() -> None:
    data = b"{\\rtf1\\ansi {\\*\\generator x;}\\pard a \\{b\\} \\~c\\par\n{\\b d}}"
    assert in_unicode(data) == data


@pytest.mark.parametrize("data", [b"{\\rtf1 \\", b"}}}{", b"{\\rtf1\\ansicpg99999 \\'e9", b"\\u99999999999?", b"\\'zz"])
def test_damaged_rtf_is_passed_on(data: bytes) -> None:
    assert isinstance(in_unicode(data), bytes)
