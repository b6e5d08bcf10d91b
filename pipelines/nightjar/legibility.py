"""How much of a text is damage: characters that a wrong decoding left behind, as shares from 0 to 1."""

from __future__ import annotations

import math
import re
from itertools import islice
from typing import Final

_LONGEST: Final = 1_000_000
_FORGIVEN: Final = 3
_FEWEST_LETTERS: Final = 20
_MOST_HIGH_LETTERS: Final = 0.6

_HIGH_BYTES: Final = bytes(range(0x80, 0xC0))
# UTF-8 read as Latin-1 or Windows-1252. A second or third byte (80 to BF) shows as one of these:
_TAIL: Final = f"[{_HIGH_BYTES.decode('latin-1')}{_HIGH_BYTES.decode('cp1252', 'ignore')}]"
# First bytes of Latin, Greek, Cyrillic, Hebrew and Arabic letters. Left out are those of scripts that hardly anybody
# writes: they show as capitals (C8, C9, CA, C7, DC) or sharp s (DF), which stand before quotation marks, an ellipsis
# or a no-break space in good French and German.
_HEAD: Final = f"[{bytes.fromhex('C2C3C4C5 CECF D0D1D2D3 D7 D8D9DADB').decode('latin-1')}]"
_MISREAD: Final = re.compile(f"{_HEAD}{_TAIL}|[\xe0-\xef]{_TAIL}{{2}}|\xf0{_TAIL}{{3}}")
_REPLACED: Final = re.compile("[\ufffd\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_HIGH_LETTER: Final = re.compile("[\xc0-\xd6\xd8-\xf6\xf8-\xff]")


def replacement_share(text: str) -> float:
    """Share of characters that say "could not be read": U+FFFD, and control characters that no text holds."""
    text = text[:_LONGEST]
    return len(_REPLACED.findall(text)) / len(text) if text else 0.0


def mojibake_share(text: str) -> float:
    """Share of characters that come from reading one encoding as another.

    UTF-8 read as Latin-1 is counted by its typical sequences, three of which are forgiven: a capital before a quotation
    mark can look alike. German misread so reaches about 1.5 %, French 3 %, Cyrillic 50 %; good texts stay at 0.
    Any other alphabet read as Latin-1 (Windows-1251, GBK) shows as letters that nearly all have accents: 1.
    Looks at the first million characters.
    """
    text = text[:_LONGEST]
    if text.isascii():
        return 0.0
    misread = max(0, len(_MISREAD.findall(text)) - _FORGIVEN) / len(text)
    high = len(_HIGH_LETTER.findall(text))
    many = math.ceil(high / _MOST_HIGH_LETTERS)  # among so many letters the high ones are no majority
    letters = sum(1 for _ in islice(_LETTER.finditer(text), many))
    return 1.0 if _FEWEST_LETTERS <= letters < many else misread
