"""Score a version on demand: by hand, or every week for what is live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nightjar.errors import Misconfigured
from nightjar.flows.evaluation import evaluation_of
from nightjar.flows.golden import Asked, ask_of, why_nothing_is_asked
from nightjar.flows.measuring import index_side, side_of
from nightjar.flows.recorded import recorded_side
from nightjar.flows.scores import remember_scores
from nightjar.flows.searching import refuse_other_model
from nightjar.flows.services import Services
from nightjar.flows.verdicts import Report, keep_report
from nightjar.flows.versions import Live, Version, read_live, read_version
from nightjar.model import CollectionName
from nightjar.stages.evaluation.comparison import Side
from nightjar.stages.evaluation.page import render_evaluation

REPORT: Final = "evaluation_again"
"""Beside the version; the gate's own evidence stays as it was."""


def score_again(services: Services, *, number: int | None, by: str, against: int | None = None) -> Mapping[str, Any]:
    """The report of version `number` against `against` (None: what is live), its page's address added as `report`.

    A version is compared with itself, or with one of another embedding, by the scores on record. One whose collection
    is gone is asked by vector search over its stored vectors. Needs no lease: it changes no version, and what it writes
    is its own.

    Raises:
        Misconfigured: the corpus has no questions (about this version's documents), nothing is live, there is no such
            version, its model is not the corpus's, or `against` has no such scores on record.
    """
    live = read_live(services.state)
    if number is None and live is None:
        raise Misconfigured(f"nothing is live: run it first with `nightjar run {services.corpus.name}`")
    version = read_version(services.state, number or (live.version if live else 0))
    other = against or (live.version if live else None)
    standing = read_version(services.state, other) if other else None
    asked = _asked(services, version, standing)
    refuse_other_model(services, version)
    side, measured = _now(services, version, live, asked)
    before = _before(services, version, standing, asked)
    if against and before is None:
        raise Misconfigured(_not_on_record(version, against))
    compared = other if before else None
    made = evaluation_of(services, version, asked, (side, before), against=compared, measured=measured, by=by)
    address = keep_report(services, version.number, Report(made, render_evaluation(made)), name=REPORT)
    remember_scores(services, made, by=by)
    return {**made, "report": address}


def _asked(services: Services, version: Version, standing: Version | None) -> Asked:
    for each in (version, standing):
        if each is not None and not each.manifest:
            raise Misconfigured(f"version {each.number} is {each.state} and has no documents to ask about")
    asked = ask_of(services, version, standing, run_id=None)
    if asked is None:
        raise Misconfigured(why_nothing_is_asked(services, version))
    return asked


def _now(services: Services, version: Version, live: Live | None, asked: Asked) -> tuple[Side, str]:
    """What is live is asked where people ask it, whatever became of it since it was proved."""
    if live is not None and live.version == version.number and live.collection in services.index.collections():
        return index_side(services, CollectionName(live.collection), asked), "index"
    return side_of(services, version, asked)


def _before(services: Services, version: Version, standing: Version | None, asked: Asked) -> Side | None:
    if standing is None:
        return None
    if standing.number == version.number or standing.recipe_parts.get("embed") != version.recipe_parts.get("embed"):
        return recorded_side(services, standing, asked)
    return side_of(services, standing, asked)[0]


def _not_on_record(version: Version, against: int) -> str:
    told = "these questions were not asked of it when it was judged: name another version after --against"
    if version.number == against:
        return f"version {against} can be compared with itself by its scores on record alone, and {told}"
    return f"version {against} was embedded otherwise than version {version.number}, and {told}"
