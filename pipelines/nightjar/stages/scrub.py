"""Take a document out of what others wrote about it: rows of tables, and names and quotations in reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

GONE: Final = "(erased)"
"""What stands where a word of it stood."""

# A quotation is recognised by this many characters without white space; a shorter text must be found whole.
_WINDOW: Final = 32
_STEP: Final = 16
_SHORTEST: Final = 12
_COLUMNS: Final = (
    ("document_id", "ids"),
    ("uri", "uris"),
    ("source_uri", "uris"),
    ("content_key", "contents"),
    ("attempted_content", "contents"),
)
_OF_BASE: Final = "base_"


@dataclass(frozen=True)
class Marks:
    """How documents are recognised: exact `ids`, `uris` and `contents`; other `names` of theirs; their `texts`."""

    ids: frozenset[str]
    uris: frozenset[str] = frozenset()
    contents: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()

    def carried_by(self, text: str) -> bool:
        """It names one of the documents, or quotes it."""
        return self.taken_from(text) != text

    def taken_from(self, text: str) -> str:
        """A sentence without its names of the documents; nothing is left of a name alone and of what quotes them."""
        if text in self._names or self._quotes(text):
            return GONE
        return self._naming.sub(GONE, text)

    @cached_property
    def _names(self) -> frozenset[str]:
        return self.ids | self.uris | self.contents | self.names

    @cached_property
    def _naming(self) -> re.Pattern[str]:
        """Names within a sentence: what goes on after one is another name."""
        exact = self.ids | self.uris | self.contents
        named = exact | {name for name in self.names if len(name) >= _SHORTEST}
        known = sorted((re.escape(name) for name in named), key=len, reverse=True)
        return re.compile(rf"(?<![\w/-])(?:{'|'.join(known) or '(?!)'})(?![\w/-]|\.\w)")

    @cached_property
    def _squeezed(self) -> tuple[str, ...]:
        return tuple(squeezed for text in self.texts if (squeezed := _squeeze(text)))

    def _quotes(self, text: str) -> bool:
        asked = _squeeze(text).strip(".…")
        if len(asked) < _SHORTEST:
            return False
        last = max(0, len(asked) - _WINDOW)
        windows = {asked[start : start + _WINDOW] for start in (*range(0, last, _STEP), last)}
        return any(window in known for known in self._squeezed for window in windows)


def without_rows(table: pa.Table, marks: Marks) -> pa.Table:
    """A table without the rows that are the documents' own; what is said of a base counts as well as of tonight."""
    kept = pa.array([True] * table.num_rows, pa.bool_())
    for name, which in _COLUMNS:
        known = pa.array(sorted(getattr(marks, which)), pa.string())
        for column in (name, _OF_BASE + name):
            if column in table.column_names:
                kept = pc.and_(kept, pc.invert(pc.is_in(table[column].cast(pa.string()), known)))
    return table.filter(kept)


def scrubbed(value: Any, marks: Marks) -> Any:
    """A JSON value without names and quotations of the documents; equal to `value` where it has none.

    A mapping in a list goes where one of its own texts speaks of a document. Any other text is replaced: lists that
    belong together stay equally long, and whoever draws a report finds its keys.
    """
    if isinstance(value, str):
        return marks.taken_from(value)
    if isinstance(value, list):
        return [scrubbed(item, marks) for item in value if not _speaks(item, marks)]
    if isinstance(value, dict):
        return {name: scrubbed(item, marks) for name, item in value.items() if not marks.carried_by(name)}
    return value


def _speaks(item: Any, marks: Marks) -> bool:
    return isinstance(item, dict) and any(marks.carried_by(text) for text in item.values() if isinstance(text, str))


def _squeeze(text: str) -> str:
    return "".join(text.split()).casefold()


def names_of(uri: str, *, prefix: str) -> set[str]:
    """Other names of a document: its key, the key below the corpus's prefix, and each as links write it.

    A name that could be a common word (no slash, no dot) is left out.
    """
    key = uri.removeprefix("s3://").partition("/")[2]
    told = {name for name in (key, key.removeprefix(prefix)) if "/" in name or "." in name}
    return told | {quote(name, errors="replace") for name in (uri, *told)}
