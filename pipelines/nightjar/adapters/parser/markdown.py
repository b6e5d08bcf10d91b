"""Markdown by CommonMark tokens: headings with their depth, code and tables as they stand, text without its markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from nightjar.adapters.parser.charset import decode
from nightjar.adapters.parser.drafts import Draft, table
from nightjar.adapters.parser.jobs import Paper
from nightjar.adapters.parser.markup import elements_of_markup
from nightjar.model import Element

_READER: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_FRONT: Final = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_FRONT_TITLE: Final = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)
_HTML_TAG: Final = re.compile(
    r"</?(?:a|abbr|b|big|br|center|code|del|details|div|em|font|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p|picture|q|s|small"
    r"|source|span|strong|sub|summary|sup|svg|table|tbody|td|th|thead|tr|tt|u|ul|video)\b[^>]*>|<!--.*?-->",
    re.IGNORECASE | re.DOTALL,
)


def read_markdown(paper: Paper) -> Draft:
    """Front matter gives the title and is not text."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset)
    front = _FRONT.match(text)
    named = _FRONT_TITLE.search(front[1]) if front else None
    body = text[front.end() :] if front else text
    return Draft(list(markdown_elements(body)), title=named[1] if named else "", charset=charset)


def markdown_elements(text: str) -> Iterator[Element]:
    """Elements in reading order; raw HTML blocks go through the HTML reader."""
    tokens = _READER.parse(text)
    position = 0
    while position < len(tokens):
        end = _end_of(tokens, position)
        yield from _block(tokens[position:end])
        position = end


def _end_of(tokens: Sequence[Token], start: int) -> int:
    """One past the token that closes the leaf block opened at `start`; containers are entered, not skipped."""
    closing = tokens[start].type.replace("_open", "_close")
    if tokens[start].type not in {"heading_open", "paragraph_open", "table_open"}:
        return start + 1
    return next(i for i in range(start, len(tokens)) if tokens[i].type == closing) + 1


def _block(tokens: Sequence[Token]) -> Iterator[Element]:
    first = tokens[0]
    if first.type == "heading_open":
        yield Element("Title", _inline(tokens[1]), depth=int(first.tag[1]) - 1)
    elif first.type == "paragraph_open":
        kind = "ListItem" if first.level else "NarrativeText"
        yield Element(kind if first.level else _kind(tokens[1].content), _inline(tokens[1]))
    elif first.type in {"fence", "code_block"}:
        yield Element("CodeSnippet", first.content)
    elif first.type == "html_block":
        yield from elements_of_markup(first.content)
    elif first.type == "table_open":
        yield from table(_rows(tokens))


def _kind(text: str) -> str:
    return "NarrativeText" if len(text.split()) > 3 else "Text"  # noqa: PLR2004 - a paragraph of a word or two is a label


def _rows(tokens: Sequence[Token]) -> list[list[str]]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_inline(token))
    return rows


def _inline(token: Token) -> str:
    """Characters as written, without emphasis, link targets and known HTML tags (a `<T>` is no tag)."""
    written = (_written(child) for child in token.children or [])
    return "".join(written)


def _written(child: Token) -> str:
    if child.type == "html_inline":
        return _HTML_TAG.sub("", child.content)
    if child.type == "softbreak":
        return "\n"
    if child.type == "hardbreak":
        return "\n"
    return child.content  # text, code and an image's alternative text; emphasis and links open with nothing
