"""Which nights `airflow_kinds.py` runs, in order, and how each should end."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from airflow_kinds_documents import (
    QUESTIONS,
    Change,
    Documents,
    as_it_was,
    edited,
    filings,
    finance,
    half_misread,
    headless,
    hurt,
    medicine,
    new_language,
    new_topic,
    paragraphs,
    swapped,
    unedited,
)
from airflow_kinds_planted import (
    MODEL_COPY,
    exchanged_texts,
    other_pooling,
    other_weights,
    permuted_vectors,
    without_normalisation,
)
from drift import BANNER, cut, misread, misread_throughout


@dataclass(frozen=True, slots=True)
class Kind:
    """What happens to the documents, the corpus file or behind both, and how the night should end.

    `red` is a task, `drift` that gate's verdict. `blocks` stand in the corpus file, and `planted` holds, for this night
    alone. Where the change does not stay, the documents are restored for a night of their own.
    """

    name: str
    change: Change
    state: str
    red: str = ""
    drift: str | None = "none"
    stays: bool = False
    blocks: Mapping[str, Any] = field(default_factory=dict)
    planted: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True, slots=True)
class Suite:
    """Nights that follow each other on a corpus of their own; `blocks` stand in its corpus file every night."""

    documents: Callable[[random.Random], Documents]
    kinds: tuple[Kind, ...]
    blocks: Mapping[str, Any] = field(default_factory=dict)


EMBED: Final = {"model": str(MODEL_COPY)}
ASKED: Final = {"questions": QUESTIONS.name}
ALIAS: Final = "BenchKinds"
SMALL: Final = {"max_tokens": 80}
THREEFOLD: Final = {"max_tokens": 240}
OTHER_EMBED: Final = {"document_prompt": "passage: "}  # and the default model by its name
THREE_EDITS: Final = hurt(edited, share=0.04)
FIRST: Final = Kind("first", as_it_was, "live", drift=None, stays=True)
QUIET: Final = Kind("quiet: three edits", THREE_EDITS, "live", stays=True)
# The quality gate sets most of them aside one by one, which by itself stops no version up to ten documents.
MOJIBAKE: Final = Kind("10 % are mojibake", hurt(misread), "rejected", "gate", "fail")
RESTORED: Final = Kind("restored", as_it_was, "live")

DAMAGED: Final = (
    FIRST,
    QUIET,
    MOJIBAKE,
    Kind("15 % are mojibake throughout", hurt(misread_throughout, share=0.15), "rejected", "gate", "fail"),
    Kind("half of 10 % is mojibake", hurt(half_misread), "rejected", "gate", "fail"),
    Kind("boilerplate in 10 %", hurt(lambda text: BANNER + text), "rejected", "gate", "fail"),
    Kind("10 % truncated", hurt(cut), "rejected", "gate", "fail"),
    Kind("texts of 30 % swapped", swapped, "rejected", "evaluate"),
)
PLANTED: Final = (
    FIRST,
    Kind(
        "same recipe, other pooling behind it; three edits",
        THREE_EDITS,
        "rejected",
        "gate",
        "fail",
        stays=True,
        planted=other_pooling,
    ),
    Kind(
        "the same edits, other weights behind it",
        as_it_was,
        "rejected",
        "gate",
        "fail",
        stays=True,
        planted=other_weights,
    ),
    # Nightjar scales every vector itself, so that these are as they should be.
    Kind("the same edits, no normalisation behind it", as_it_was, "live", stays=True, planted=without_normalisation),
    Kind("the model mended", as_it_was, "unchanged", drift=None, stays=True),
    Kind("stored vectors of 20 % permuted; three edits", THREE_EDITS, "rejected", "evaluate", planted=permuted_vectors),
)
CHANGED: Final = (
    FIRST,
    Kind("planned change of the model", as_it_was, "waiting", "promote", stays=True, blocks={"embed": OTHER_EMBED}),
    Kind("planned change: small chunks", as_it_was, "live", drift="warn", stays=True, blocks={"chunk": SMALL}),
    Kind(
        "chunks three times the size",
        as_it_was,
        "rejected",
        "evaluate",
        "warn",
        stays=True,
        blocks={"chunk": THREEFOLD},
    ),
    Kind(
        "the same, max_regression 5 %",
        as_it_was,
        "live",
        drift="warn",
        stays=True,
        blocks={"chunk": THREEFOLD, "evaluation": {**ASKED, "max_regression": "5%"}},
    ),
    Kind("default chunks again", as_it_was, "live", drift="warn", stays=True),
)
GROWN: Final = (
    FIRST,
    Kind("new topic, 5 % of the text", new_topic(finance, share=0.05), "live", drift="warn", stays=True),
    Kind("new language, 5 % of documents", new_language, "live", drift="warn", stays=True),
    Kind("new topic, 20 % of the text", new_topic(medicine, share=0.2), "live", drift="warn", stays=True),
)
IN_PLACE: Final = (
    FIRST,
    QUIET,
    MOJIBAKE,
    # Foretold before the first write.
    Kind("texts of 30 % swapped", swapped, "rejected", "index"),
    Kind("30 % are edited", hurt(edited, share=0.3), "live", stays=True),
    # Vector search is as it should be, and is all that can be foretold: what was written is taken back.
    Kind("edits undone, stored texts exchanged", unedited, "rejected", "evaluate", planted=exchanged_texts),
)
HEADINGS: Final = (FIRST, Kind("titles and headings lost", hurt(headless, share=1.0), "rejected", "evaluate", "warn"))
SUITES: Final[Mapping[str, Suite]] = {
    "damaged": Suite(paragraphs, DAMAGED),
    "planted": Suite(paragraphs, PLANTED),
    "changed": Suite(paragraphs, CHANGED),
    "grown": Suite(paragraphs, GROWN),
    "in_place": Suite(paragraphs, IN_PLACE, {"index": {"alias": ALIAS, "strategy": "in_place"}}),
    "headings": Suite(filings, HEADINGS),
}
