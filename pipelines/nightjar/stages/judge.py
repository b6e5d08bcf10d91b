"""The quality gate's verdict: what a night's rejections, failures and repeats mean for its version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

from nightjar.model import Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """What a night did to the documents of a corpus.

    `documents` are those of the candidate, quarantined ones included, `searchable` those with at least one chunk;
    `served` are those of the live version. `rejected` were set aside tonight by quality rules; `failed` could not be
    downloaded or parsed tonight, `failed_served` are those of them that the live version serves; `repeated` repeat
    another's text.
    """

    documents: int
    searchable: int
    served: int
    rejected: int
    failed: int
    failed_served: int
    repeated: int


class Limits(Protocol):
    """What the corpus file's `quality` section says: shares from 0 to 1, and up to how many documents none counts."""

    @property
    def max_rejected_share(self) -> float:
        """Of all documents, set aside by rules."""

    @property
    def max_failed_documents(self) -> float:
        """Of the documents served so far, failed tonight."""

    @property
    def max_repeated_share(self) -> float:
        """Of the searchable documents, repeating another."""

    @property
    def allowance(self) -> int:
        """Documents."""


def judge(tally: Tally, *, limits: Limits) -> Verdict:
    """Whether a version may go on: fail stops it, warn is shown with it.

    A new document that cannot be read takes nothing from those who search: it is quarantined and shown, and stops
    nothing. One that is served and fails is a sign that something broke. Small numbers never count: a corpus of 14
    goes live without its encrypted and its empty file.
    """
    figures = {name: float(value) for name, value in asdict(tally).items()}
    if tally.documents and not tally.searchable:
        return Verdict("fail", f"none of {tally.documents} documents could be made searchable", figures)
    reason = next((reason for reason in _objections(tally, limits) if reason), None)
    if reason is not None:
        return Verdict("fail", reason, figures)
    if _above(tally.failed, tally.documents, limits.max_failed_documents, limits.allowance):
        reason = f"{tally.failed} of {tally.documents} documents could not be read; they are in quarantine"
        return Verdict("warn", reason, figures)
    return Verdict.passed(figures)


def _objections(tally: Tally, limits: Limits) -> Iterator[str | None]:
    yield _objection(
        tally.rejected, tally.documents, limits.max_rejected_share, limits.allowance,
        what="documents were set aside by quality rules", key="quality.max_rejected_share",
    )  # fmt: skip
    yield _objection(
        tally.failed_served, tally.served, limits.max_failed_documents, limits.allowance,
        what="served documents failed to download or parse", key="quality.max_failed_documents",
    )  # fmt: skip
    yield _objection(
        tally.repeated, tally.searchable, limits.max_repeated_share, limits.allowance,
        what="documents repeat another", key="quality.max_repeated_share",
    )  # fmt: skip


def _objection(count: int, of: int, share: float, allowance: int, *, what: str, key: str) -> str | None:
    if not _above(count, of, share, allowance):
        return None
    return f"{count} of {of} {what}; {key} allows {share:.0%}"


def _above(count: int, of: int, share: float, allowance: int) -> bool:
    return count > allowance and count > share * of
