"""A document's language, once: langdetect on a bounded sample, seeded; plain English is recognised without it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import iso639
from langdetect import DetectorFactory, LangDetectException, detect_langs

from nightjar.model import Element

DetectorFactory.seed = 0  # the same text has the same language on every night

_SAMPLE: Final = 2000
_LEAST: Final = 40  # letters; with fewer langdetect guesses
_SOME_ENGLISH: Final = 0.08  # as between listings
_SURE: Final = 0.9  # langdetect's own measure: of running text it is surer, of names and numbers often not
_COMMON: Final = """
    the of and to in is that for it as with was on are be by this or an from at not which have has you can if
"""
_ENGLISH: Final = frozenset(_COMMON.split())
_ENGLISH_SHARE: Final = 0.22
_SCRIPT_SHARE: Final = 0.1
_SCRIPTS: Final = (
    (re.compile("[\uac00-\ud7a3]"), "kor"),
    (re.compile("[\u3041-\u30ff]"), "jpn"),
    (re.compile("[\u4e00-\u9fff]"), "zho"),
)
_WORDS: Final = re.compile(r"[^\W\d_]+")
_CELL_ENDS: Final = re.compile(r" \| |\n")


def warm() -> None:
    """Load the profiles, so that forks share them."""
    detect_langs("a sentence in plain words")


def language_of(elements: Iterable[Element]) -> str:
    """ISO 639-3 of running text, or '' where there is too little of it, as in a table of names and numbers."""
    sample = _sample(elements)
    if not _is_enough(sample):
        return ""
    words = _WORDS.findall(sample.lower())
    english = sum(word in _ENGLISH for word in words) / len(words)
    if english >= _ENGLISH_SHARE:
        return "eng"
    for script, language in _SCRIPTS:  # langdetect takes traditional Chinese for Korean
        if len(script.findall(sample)) > len(sample) * _SCRIPT_SHARE:
            return language
    try:
        best = detect_langs(" ".join(words))[0]
    except LangDetectException:
        return ""
    sure = best.prob >= _SURE or (best.lang == "en" and english >= _SOME_ENGLISH)
    return iso639.Language.from_part1(best.lang[:2]).part3 or "" if sure else ""


def _sample(elements: Iterable[Element]) -> str:
    taken: list[str] = []
    length = 0
    for element in elements:
        if length < _SAMPLE:
            taken.append(_running_text(element)[: _SAMPLE - length])
            length += len(taken[-1])
    return " ".join(taken)


def _running_text(element: Element) -> str:
    """Of a table's beginning the cells that could be judged alone: pages and forms are laid out by tables, too."""
    if element.kind == "CodeSnippet":
        return ""
    if element.kind != "Table":
        return element.text
    return " ".join(cell for cell in _CELL_ENDS.split(element.text[: _SAMPLE * 10]) if _is_enough(cell))


def _is_enough(text: str) -> bool:
    return sum(map(len, _WORDS.findall(text))) >= _LEAST
