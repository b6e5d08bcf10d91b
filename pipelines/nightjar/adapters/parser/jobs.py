"""What the parent, the zygote and its children say to one another: one JSON object a packet, never pickle.

Packets carry orders and outcomes; what was read of a document lies in a file of the job's folder, so that nobody reads
more of it than allowed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

from nightjar.errors import Code, bounded

PACKET_BYTES: Final = 128 * 1024
RESULT_NAME: Final = "result.json"
RESULT_BYTES: Final = 64 * 1024 * 1024
SNIFF_BATCH: Final = 64  # documents a packet: their paths fit one
_SUFFIX_LENGTH: Final = 12


class Refused(Exception):
    """A reader's verdict inside a child; becomes a BadDocument in the parent, where the document's id is known."""

    def __init__(self, code: Code, reason: str) -> None:
        self.code = code
        self.reason = bounded(reason)
        super().__init__(self.reason)


def suffix_of(key: str) -> str:
    """The lower-case ending of an object's key without its dot; '' for none, or one too long to be an ending."""
    stem, dot, suffix = key.rsplit("/", 1)[-1].rpartition(".")
    known = dot and stem and len(suffix) <= _SUFFIX_LENGTH
    return suffix.lower() if known else ""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a child is told of a document: where its bytes lie, the key's ending, what was declared and decided."""

    path: str
    suffix: str
    declared_type: str
    declared_charset: str
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """An order: `task` is parse (one paper) or sniff (some); `alone` asks for a child that served nobody before."""

    number: int
    task: str
    papers: tuple[Paper, ...]
    folder: str
    timeout_s: float
    alone: bool

    def encode(self) -> bytes:
        """As one packet."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, packet: bytes) -> Self:
        """The reverse of `encode`."""
        fields = json.loads(packet)
        papers = tuple(Paper(**paper) for paper in fields.pop("papers"))
        return cls(**fields, papers=papers)

    def retried_alone(self) -> Self:
        """The same order for a child of its own: only there is a failure the document's."""
        return replace(self, alone=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended; `code` is '' when a result was written."""

    number: int
    code: str = ""
    reason: str = ""

    def encode(self) -> bytes:
        """As one packet."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, packet: bytes) -> Self:
        """Trusts nothing: the packet may come from a child that a document has taken over.

        Raises:
            ValueError: the packet is not an outcome.
        """
        try:
            fields = json.loads(packet)
            code, reason = str(fields["code"]), bounded(str(fields["reason"]))
            return cls(int(fields["number"]), Code(code).value if code else "", reason)
        except (KeyError, TypeError, RecursionError) as broken:
            raise ValueError("not an outcome") from broken
