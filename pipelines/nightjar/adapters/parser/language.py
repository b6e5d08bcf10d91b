"""A document's language, once: langdetect on a bounded sample, seeded; plain English is recognised without it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import iso639
from langdetect import DetectorFactory, LangDetectException, detect

from nightjar.model import Element

DetectorFactory.seed = 0  # the same text has the same language on every night

_SAMPLE: Final = 2000
_LEAST: Final = 40  # letters; with fewer langdetect guesses
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


def warm() -> None:
    """Load the profiles, so that forks share them."""
    detect("a sentence in plain words")


def language_of(elements: Iterable[Element]) -> str:
    """ISO 639-3 of running text, or '' where there is too little of it."""
    sample = _sample(elements)
    words = _WORDS.findall(sample.lower())
    if sum(map(len, words)) < _LEAST:
        return ""
    if sum(word in _ENGLISH for word in words) >= _ENGLISH_SHARE * len(words):
        return "eng"
    for script, language in _SCRIPTS:  # langdetect takes traditional Chinese for Korean
        if len(script.findall(sample)) > len(sample) * _SCRIPT_SHARE:
            return language
    try:
        code = detect(" ".join(words))
    except LangDetectException:
        return ""
    return iso639.Language.from_part1(code[:2]).part3 or ""


def _sample(elements: Iterable[Element]) -> str:
    taken: list[str] = []
    length = 0
    for element in elements:
        if element.kind != "CodeSnippet" and length < _SAMPLE:
            taken.append(element.text[: _SAMPLE - length])
            length += len(taken[-1])
    return " ".join(taken)
