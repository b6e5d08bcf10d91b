"""A sentence and verb model of rules, for where unstructured's spaCy model is not installed.

unstructured asks three things of `en_core_web_sm`: words, sentences, and whether a word is a verb (a paragraph with a
verb is NarrativeText, one without may be a Title). The model is a download from GitHub at first use, which a parser
without network cannot make; importing spaCy alone costs seconds and 100 MB. The rules here stand in for the module
`unstructured.nlp.tokenize`, under the same three names, before unstructured is imported.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Final

MODEL: Final = "en_core_web_sm"
RULES_VERSION: Final = "rules-1"

_MODULE: Final = "unstructured.nlp.tokenize"
_LONGEST: Final = 20_000  # characters looked at: the questions are about a paragraph, not about a book
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?|[^\w\s]|_")
_SENTENCE_END: Final = re.compile(
    r"(?<=[.!?…])[\"'”\u2019)\]]*\s+(?=[\"'“\u2018(\[]*[^\W\d_a-z])|(?<=[。\uff01\uff1f])"
)
_VERB_LIST: Final = """
    am is are was were be been being has have had having do does did done can could will would shall should may might
    must isn't aren't wasn't weren't don't doesn't didn't can't cannot couldn't won't wouldn't shouldn't hasn't haven't
    get gets got make makes made take takes took give gives gave go goes went come comes came see sees saw say says said
    know knows knew think thinks thought find finds found use uses want wants need needs include includes contain
    contains provide provides become becomes became show shows mean means keep keeps kept let lets begin begins began
    seem seems help helps run runs ran hold holds held bring brings brought write writes wrote happen happens occur
    occurs cause causes affect affects require requires allow allows return returns set sets exist exists remain remains
    call calls try tries ask asks feel feels felt leave leaves left put puts lead leads led apply applies lies follow
    follows consist consists
"""
_VERBS: Final = frozenset(_VERB_LIST.split())


def install() -> str:
    """Put the rules in place of the model unless the model is there; returns which of the two shapes the result."""
    if find_spec(MODEL) is not None:
        return MODEL
    stand_in = ModuleType(_MODULE, __doc__)
    for function in (sent_tokenize, word_tokenize, pos_tag):
        setattr(stand_in, function.__name__, function)
    sys.modules[_MODULE] = stand_in
    return RULES_VERSION


def word_tokenize(text: str) -> list[str]:
    """Words and single punctuation marks."""
    return _WORD.findall(text[:_LONGEST])


@lru_cache(maxsize=128)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(part for part in _SENTENCE_END.split(text[:_LONGEST]) if part.strip())


def sent_tokenize(text: str) -> list[str]:
    """Cut after final punctuation that is followed by something other than a lower-case word."""
    return list(_sentences(text))


def pos_tag(text: str) -> list[tuple[str, str]]:
    """(word, tag): `VB` for what looks like a verb, `NN` for all else; that is all unstructured asks for."""
    return [(word, "VB" if _reads_as_verb(word) else "NN") for word in word_tokenize(text)]


def _reads_as_verb(word: str) -> bool:
    if word.lower().replace("\u2019", "'") in _VERBS:
        return True
    return len(word) > 4 and word.islower() and word.endswith(("ed", "ing"))  # noqa: PLR2004 - "red" and "king" are none
