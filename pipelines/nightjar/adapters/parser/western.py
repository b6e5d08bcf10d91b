"""Whether what Windows-1252 makes of bytes reads as a language of Western Europe, and not as another charset's text."""

from __future__ import annotations

import re
from typing import Final

_LETTERS: Final = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœŸ"
_SIGNS: Final = "£€¢¥°©®™§«»‘’‚“”„–—…•·¡¿¼½¾²³µªº×÷\xa0\xad"  # noqa: RUF001 - as people type them
_WITHIN: Final = "‘’–·\xa0\xad"  # noqa: RUF001 - signs that may stand between two letters
_LETTER: Final = "A-Za-zÀ-ÖØ-öø-ÿŒœŸ"
_STRANGE: Final = (
    rf"[^\x00-\x7f{_LETTERS}{_SIGNS}]",
    rf"(?<=[{_LETTER}])[^\x00-\x7f{_LETTER}{_WITHIN}—](?=[{_LETTER}])",
    r"[a-zà-öø-ÿ][À-ÖØ-Þ]",  # a capital within a word
    r"(?<![A-ZÀ-ÖØ-Þ])[À-ÖØ-Þ]{2}(?![A-Z])",  # two capitals and nothing else
    r"(?<![A-Za-zÀ-ÿ])[À-ÿ]{3,}(?![A-Za-zÀ-ÿ])",  # a word without a letter of ASCII
    r"õ(?!es?\b)",  # Portuguese has it in -ões; elsewhere it is Hungarian's or Estonian's
    r"(?<![m\d])[²³]",  # not a unit's: Polish
)
_NOT_WESTERN: Final = re.compile("|".join(_STRANGE))


def reads_western(text: str) -> bool:
    """Nothing in it is what text of Eastern Europe, Asia or an older system looks like in Windows-1252.

    Detectors by statistics take a pound sign, or an accent or two, for a dozen other charsets.
    """
    return _NOT_WESTERN.search(text) is None
