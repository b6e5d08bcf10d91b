"""Errors named by what the caller should do: retry, set one document aside, stop and mend, or leave quietly.

Adapters translate vendor exceptions into these at the door; no vendor exception travels further in.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

_LONGEST_REASON: Final = 400


class NightjarError(Exception):
    """Any failure that Nightjar foresaw; its text is one sentence for a person."""


class Transient(NightjarError):
    """Something outside did not answer this time: retry with backoff, and the next run resumes."""


class Misconfigured(NightjarError):
    """No retry can help; the sentence says what to change."""


class Superseded(NightjarError):
    """This run is over because another took its place: end skipped, change nothing."""


class HeldBack(NightjarError):
    """A gate, a guard, a hold or another run stands in the way; what was computed is kept."""


class Code(StrEnum):
    """Why a document is in quarantine: short, stable words that people filter by."""

    EMPTY = "empty"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    NO_TEXT = "no_text"
    MOJIBAKE = "mojibake"
    MISSING_TOOL = "missing_tool"
    LANGUAGE = "language"
    BOILERPLATE = "boilerplate"
    UNREADABLE = "unreadable"
    CHANGED_WHILE_READ = "changed_while_read"
    BAD_EMBEDDING = "bad_embedding"
    REFUSED = "refused"
    ACCESS = "access"


class BadDocument(NightjarError):
    """This one document cannot go on; its neighbours can.

    Args:
        document_id: whose failure it is.
        code: the stable word for it.
        reason: one sentence, cut to a length that fits a log line; never document text.
    """

    def __init__(self, document_id: str, code: Code, reason: str) -> None:
        self.document_id = document_id
        self.code = code
        self.reason = bounded(reason)
        super().__init__(f"{code}: {self.reason}")


def bounded(text: str, *, limit: int = _LONGEST_REASON) -> str:
    """One printable line of at most `limit` characters: what an error may carry of a vendor's message."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
