"""Scores that were measured earlier, for what cannot be asked again: beside a run, or in a version's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from nightjar.flows.golden import Asked
from nightjar.flows.services import Services
from nightjar.flows.verdicts import EVALUATION, kept_report
from nightjar.flows.versions import Version
from nightjar.stages.evaluation.answers import Found
from nightjar.stages.evaluation.comparison import MEASURES, MODES, Scored, Side


def recorded(services: Services, version: Version, asked: Asked) -> dict[str, Any] | None:
    """The version's own report, where it is about the same file of questions and the same k."""
    told = kept_report(services, version.number, name=EVALUATION)
    if told is None or (told["digest"], told["k"]) != (asked.digest, services.corpus.evaluation.k):
        return None
    return told


def recorded_side(services: Services, version: Version, asked: Asked) -> Side | None:
    """What that report says of the questions that both can be judged by (`asked.pairs`), 0 of the others.

    Of what they found it knows the places, and a report of an earlier release nothing. None where it knows fewer
    questions, or there is none of them.
    """
    told = recorded(services, version, asked)
    by_line = {each["line"]: each for each in told["scores"]} if told else {}
    both = [asked.questions[place].line for place in asked.pairs]
    if not both or any(line not in by_line for line in both):
        return None
    modes = [mode for mode in MODES if mode in by_line[both[0]]["scores"]]
    answers = [by_line.get(question.line) for question in asked.questions]
    return {mode: tuple(_scored(each, mode) for each in answers) for mode in modes}


def _scored(answer: Mapping[str, Any] | None, mode: str) -> Scored:
    if answer is None:
        return Scored(dict.fromkeys(MEASURES, 0.0), ())
    return Scored(answer["scores"][mode], tuple(map(Found.at, answer.get("found", {}).get(mode, ()))))


def packed(asked: Asked, side: Side) -> dict[str, Any]:
    """A side as JSON, with what it is an answer to."""
    told = {mode: [asdict(each) for each in scored] for mode, scored in side.items()}
    return {**_about(asked), "side": told}


def unpacked(asked: Asked, told: Mapping[str, Any] | None) -> Side | None:
    """The reverse of `packed`; None where other questions were asked then."""
    if told is None or any(told[name] != value for name, value in _about(asked).items()):
        return None
    return {mode: tuple(Scored.from_json(each) for each in scored) for mode, scored in told["side"].items()}


def _about(asked: Asked) -> dict[str, Any]:
    return {"digest": asked.digest, "lines": [each.line for each in asked.questions]}
