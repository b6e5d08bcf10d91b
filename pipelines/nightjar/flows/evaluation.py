"""Judge a version by the corpus's golden questions, against what is live, and keep the evidence beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from nightjar.errors import HeldBack
from nightjar.flows.gates import is_overruled
from nightjar.flows.golden import Asked, ask_of, why_nothing_is_asked
from nightjar.flows.measuring import index_side, overlay_side, side_of
from nightjar.flows.points import Point
from nightjar.flows.recorded import packed, recorded, recorded_side, unpacked
from nightjar.flows.runs import Run, read_json, write_json
from nightjar.flows.scores import past_scores, remember_scores
from nightjar.flows.services import Services
from nightjar.flows.verdicts import EVALUATION, Report, Verdict, keep_verdict, not_judged
from nightjar.flows.versions import Live, Version, read_version, save_version
from nightjar.model import CollectionName
from nightjar.stages.evaluation.comparison import Side, compare
from nightjar.stages.evaluation.page import render_evaluation
from nightjar.stages.evaluation.report import About, Evidence, report
from nightjar.stages.evaluation.verdict import judge
from nightjar.stages.states import State
from nightjar.stages.strategy import Strategy

_TREND: Final = 20
_LIVE_SIDE: Final = "evaluation-live.json"
_NOT_COMPARED: Final = (
    "nothing is compared with version {}: it was embedded otherwise, and no report of its own answers these questions"
)


def evaluate_overlay(services: Services, run: Run, version: Version, live: Live) -> Version:
    """Before the first write to what people search: vector search as it will be, against as it is.

    What is live is scored in every mode and kept beside the run: after the write it cannot be asked any more.

    Raises:
        HeldBack: the gate is red; the version is rejected, and nothing was written.
    """
    standing = read_version(services.state, live.version)
    asked = ask_of(services, version, standing, run_id=run.run_id)
    if asked is not None and version.state is State.GATED:
        name = CollectionName(live.collection)
        before = index_side(services, name, asked)
        write_json(services, run, _LIVE_SIDE, packed(asked, before))
        candidate = overlay_side(services, name, standing, version, asked)
        version = judged(services, version, asked, candidate, before, measured="overlay", by=run.run_id)
        if is_red(version) and not is_overruled(services, run, EVALUATION, "fail"):
            reject(services, version, actor=run.actor)
    services.passing(Point.OVERLAID)
    return version


def evaluate_filled(services: Services, run: Run, version: Version) -> Version:
    """Score a verified collection in every mode; a verdict that was found before a crash is not found again."""
    kept = version.verdicts.get(EVALUATION)
    if kept is not None and kept.get("measured") == "index":
        return version
    standing = read_version(services.state, run.live.version) if run.live else None
    asked = ask_of(services, version, standing, run_id=run.run_id)
    if asked is None:
        why = why_nothing_is_asked(services, version)
        return with_verdict(services, version, not_judged(version.number, EVALUATION, why=why))
    if version.strategy == Strategy.SHARED and standing is not None:
        same = _same_content(services, version, standing, asked)
        if same is not None:
            return same
    candidate = index_side(services, CollectionName(str(version.collection)), asked)
    before = _live_side(services, run, version, standing, asked) if standing else None
    return judged(services, version, asked, candidate, before, measured="index", by=run.run_id)


def judged(
    services: Services,
    version: Version,
    asked: Asked,
    candidate: Side,
    live: Side | None,
    *,
    measured: str,
    by: str,
) -> Version:
    """The version with its verdict; report, page and history are written first."""
    against = version.parent if live else None
    made = evaluation_of(services, version, asked, (candidate, live), against=against, measured=measured, by=by)
    verdict = keep_verdict(services, version.number, EVALUATION, Report(made, render_evaluation(made)))
    remember_scores(services, made, by=by)
    return with_verdict(services, version, verdict)


def evaluation_of(
    services: Services,
    version: Version,
    asked: Asked,
    sides: tuple[Side, Side | None],
    *,
    against: int | None,
    measured: str,
    by: str,
) -> dict[str, Any]:
    """The report of one evaluation against version number `against`, with the trend before it; sides: candidate, live.

    Of an in-place version what was foretold `by` the same run is no part of that trend: it is measured anew.
    """
    limits, (candidate, live) = services.corpus.evaluation, sides
    compared = compare(candidate, live, pairs=asked.pairs)
    pairs = len(asked.pairs) if live else 0
    unknown = _NOT_COMPARED.format(version.parent) if asked.pairs and not live else ""
    verdict = judge(compared, questions=len(asked.questions), pairs=pairs, limits=limits, unknown=unknown)
    about = About(
        corpus=services.corpus.name,
        version=version.number,
        live=against,
        measured=measured,
        digest=asked.digest,
        at=services.clock().isoformat(timespec="seconds"),
    )
    evidence = Evidence(asked.known, asked.pairs, candidate, live, compared, verdict)
    trend = past_scores(services, limit=_TREND - 1, but=(by, version.number))
    return {**report(about, evidence, limits=limits), "trend": trend}


def with_verdict(services: Services, version: Version, verdict: Verdict) -> Version:
    """The version, its record saying so."""
    return save_version(services.state, replace(version, verdicts={**version.verdicts, EVALUATION: verdict}))


def is_red(version: Version) -> bool:
    """The gate would stop this version."""
    return (version.verdicts.get(EVALUATION) or {}).get("state") == "fail"


def reject(services: Services, version: Version, *, actor: str) -> None:
    """Keep the version for inspection; nobody sees it.

    Raises:
        HeldBack: always.
    """
    reason = str(version.verdicts[EVALUATION]["reason"])
    save_version(services.state, version.enter(State.REJECTED, at=services.clock(), actor=actor, reason=reason))
    raise HeldBack(f"version {version.number} is rejected: {reason}")


def _live_side(services: Services, run: Run, version: Version, standing: Version, asked: Asked) -> Side | None:
    """As it was before anything was written; by its own record where it was embedded otherwise."""
    if version.strategy == Strategy.IN_PLACE:
        return unpacked(asked, read_json(services, run, _LIVE_SIDE))
    if standing.recipe_parts.get("embed") == version.recipe_parts.get("embed"):
        return side_of(services, standing, asked)[0]
    return recorded_side(services, standing, asked)


def _same_content(services: Services, version: Version, standing: Version, asked: Asked) -> Version | None:
    """A version that is what people search already is scored as that was, and cannot be worse."""
    told = recorded(services, standing, asked) if standing.checkout == version.checkout else None
    if told is None:
        return None
    reason = f"its content is that of version {standing.number}, whose scores these are"
    made = {**told, "version": version.number, "state": "none", "reason": reason, "measured": "index"}
    verdict = keep_verdict(services, version.number, EVALUATION, Report(made, render_evaluation(made)))
    return with_verdict(services, version, verdict)
