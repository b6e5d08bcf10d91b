"""Plain text, source code and subtitles: the characters as they are, cut where the author cut them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from unstructured.partition.text import element_from_text

from nightjar.adapters.parser.charset import decode
from nightjar.adapters.parser.drafts import Draft
from nightjar.adapters.parser.jobs import Paper
from nightjar.model import Element

_PARAGRAPHS: Final = re.compile(r"\n[ \t\f\v]*\n+|\f")
_BULLET: Final = re.compile(r"\s*(?:[-*•‣▪●○\u2013·]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+\S")
_LONGEST_TITLE: Final = 250
_LONGEST_HEADING: Final = 100
_CLASSIFIED: Final = 2000  # characters that decide a paragraph's kind
_WRAPPED: Final = (40, 140)  # a line of this length that is followed by another was broken to fit a page
_CODE_BLOCK: Final = 60  # lines: a definition seldom is longer
_TIMED: Final = re.compile(r"\A(?:[^\n]*\n)?[^\n]*\d\d[.,]\d{3} --> [^\n]*\n?")  # a cue's name and its times


def read_plain(paper: Paper) -> Draft:
    """Paragraphs between blank lines; lines broken for width are joined, others stay lines."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset)
    elements = list(paragraphs(text))
    return Draft(elements, title=_opening(elements), charset=charset)


def _opening(elements: Sequence[Element]) -> str:
    """A first paragraph of one line names the document, as a first heading would."""
    first = elements[0].text if elements else ""
    return first if _may_title(first, longest=_LONGEST_TITLE) else ""


def _may_title(text: str, *, longest: int) -> bool:
    return len(text) <= longest and "\n" not in text and "://" not in text and not text.endswith((".", ",", ";", ":"))


def paragraphs(text: str) -> Iterator[Element]:
    """Each paragraph as unstructured classifies its beginning; its wording is ours to keep."""
    for block in _PARAGRAPHS.split(text):
        for passage in _passages(block):
            kind = element_from_text(passage[:_CLASSIFIED]).category
            heading = kind == "Title" and _may_title(passage, longest=_LONGEST_HEADING)
            yield Element(kind if heading or kind in {"NarrativeText", "ListItem"} else "Text", passage)


def _passages(block: str) -> list[str]:
    lines = [line.strip() for line in block.split("\n") if line.strip()]
    if not lines:
        return []
    widest = max(map(len, lines))
    passages = [lines[0]]
    for before, line in pairwise(lines):
        listed = _BULLET.match(line)
        if listed and _BULLET.match(lines[0]):
            passages.append(line)
        else:
            full = _WRAPPED[0] <= widest <= _WRAPPED[1] and len(before) > widest * 0.6
            passages[-1] += (" " if full and not listed else "\n") + line
    return passages


def read_code(paper: Paper) -> Draft:
    """Source in blocks cut at blank lines before an unindented line, lines and indentation untouched."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset)
    return Draft([Element("CodeSnippet", block) for block in _code_blocks(text.expandtabs(4))], charset=charset)


def _code_blocks(text: str) -> Iterator[str]:
    block: list[str] = []
    for line in text.split("\n"):
        starts = line[:1].strip() and block and not block[-1].strip()
        if (starts and len(block) >= _CODE_BLOCK // 4) or len(block) >= _CODE_BLOCK * 4:
            yield "\n".join(block)
            block = []
        block.append(line.rstrip())
    yield "\n".join(block)


def read_subtitles(paper: Paper) -> Draft:
    """What is spoken, without cue numbers and times; a speaker's tag becomes a name."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset)
    cues = [cue for cue in _PARAGRAPHS.split(text) if not cue.startswith(("NOTE", "STYLE", "REGION", "WEBVTT"))]
    spoken = [_TIMED.sub("", cue) for cue in cues]
    named = (re.sub(r"<v(?:\.\S+)? ([^>]+)>", r"\1: ", cue) for cue in spoken)
    bare = [re.sub(r"</?[a-z][^>]*>|<[\d:.]+>", "", cue).strip() for cue in named]
    lines = [cue for cue in bare if cue]
    groups = ("\n".join(lines[start : start + 8]) for start in range(0, len(lines), 8))
    return Draft([Element("NarrativeText", group) for group in groups], charset=charset)
