"""The evidence behind a verdict, as `evaluation.json`: measures, and the questions that moved with what they found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from nightjar.corpus.policy import Evaluation
from nightjar.corpus.questions import GoldenQuestion
from nightjar.model import Verdict
from nightjar.stages.evaluation.answers import Known
from nightjar.stages.evaluation.comparison import MODES, Compared, Scored, Side

FORMAT: Final = 1
_LISTED: Final = 10
_UNKNOWN_LISTED: Final = 50
_BY: Final = "ndcg"


@dataclass(frozen=True, slots=True)
class About:
    """What was scored: `live` is what it was compared with, None where nothing was.

    `measured` is `index` (the collection was searched), `overlay` (vector search before a write) or `exact` (vector
    search over stored vectors); `digest` is of the file of questions, `at` in ISO 8601.
    """

    corpus: str
    version: int
    live: int | None
    measured: str
    digest: str
    at: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both sides, question by question, and what follows; `pairs` are the questions that both were compared by."""

    known: Known
    pairs: Sequence[int]
    candidate: Side
    live: Side | None
    compared: Sequence[Compared]
    verdict: Verdict


def report(about: About, evidence: Evidence, *, limits: Evaluation) -> dict[str, Any]:
    """Plain values; `worse` and `better` are the questions whose nDCG@10 moved most, of so many (`worse_count`).

    `missed` are questions that did not get worse, and found nothing wanted.
    """
    moved = sorted(_moved(evidence), key=lambda each: each[0])
    worse = [each for each in moved if each[0] < 0]
    better = [each for each in reversed(moved) if each[0] > 0]
    lost = {place for _, place, _ in worse}
    missed = [each for each in _missed(evidence) if each[0] not in lost]
    unknown = evidence.known.unknown
    return {
        "format": FORMAT,
        **asdict(about),
        **asdict(evidence.verdict),
        "k": limits.k,
        "floor": dict(limits.floor),
        "max_regression": limits.max_regression,
        "questions": len(evidence.known.questions),
        "compared": len(evidence.pairs) if evidence.live else 0,
        "unknown": [{"line": line, "document": named} for line, named in unknown[:_UNKNOWN_LISTED]],
        "unknown_count": len(unknown),
        "measures": [asdict(each) for each in evidence.compared],
        "worse": [_shown(evidence, place, mode) for _, place, mode in worse[:_LISTED]],
        "worse_count": len(worse),
        "better": [_shown(evidence, place, mode) for _, place, mode in better[:_LISTED]],
        "better_count": len(better),
        "missed": [_shown(evidence, place, mode) for place, mode in missed[:_LISTED]],
        "missed_count": len(missed),
        "scores": [_scores(evidence, place, each) for place, each in enumerate(evidence.known.questions)],
    }


def _moved(evidence: Evidence) -> Iterator[tuple[float, int, str]]:
    """(difference, question, mode) of each question, in the mode in which it moved most."""
    live = evidence.live
    for place in evidence.pairs if live else ():
        by_mode = [
            (evidence.candidate[mode][place].scores[_BY] - live[mode][place].scores[_BY], place, mode)
            for mode in MODES
            if live and mode in live and mode in evidence.candidate
        ]
        if by_mode:
            yield max(by_mode, key=lambda each: abs(each[0]))


def _missed(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """Questions that found nothing of what they should, by the mode that people use where it was asked."""
    mode = next(mode for mode in reversed(MODES) if mode in evidence.candidate)
    for place, each in enumerate(evidence.candidate[mode]):
        if each.scores["mrr"] == 0:
            yield place, mode


def _shown(evidence: Evidence, place: int, mode: str) -> dict[str, Any]:
    question, live = evidence.known.questions[place], evidence.live
    before = live[mode][place] if live and mode in live and place in evidence.pairs else None
    return {
        "line": question.line,
        "question": question.text,
        "relevant": [asdict(each) for each in question.relevant],
        "mode": mode,
        "now": asdict(evidence.candidate[mode][place]),
        "before": asdict(before) if before else None,
    }


def _scores(evidence: Evidence, place: int, question: GoldenQuestion) -> dict[str, Any]:
    """By mode one question's scores, and where what it found first stands, so that nobody need ask again to compare."""
    answered: Mapping[str, Scored] = {mode: scored[place] for mode, scored in evidence.candidate.items()}
    return {
        "line": question.line,
        "question": question.text,
        "scores": {mode: dict(each.scores) for mode, each in answered.items()},
        "found": {mode: [found.place for found in each.found] for mode, each in answered.items()},
    }
