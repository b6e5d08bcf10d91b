"""The evaluation gate's verdict: what scores mean for a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from nightjar.corpus.policy import Evaluation
from nightjar.model import Verdict
from nightjar.stages.evaluation.comparison import MEASURES, MODES, Compared

FLOOR_MODE: Final = "hybrid"
"""How people search unless they say otherwise: the mode that the floor is about."""
_MAIN: Final = "ndcg"
FEWEST: Final = 5
"""With fewer questions one answer more or less is a regression beyond any interval: they warn."""


def judge(
    compared: Sequence[Compared], *, questions: int, pairs: int, limits: Evaluation, unknown: str = ""
) -> Verdict:
    """`fail` stops a version: a measure below its floor, or a loss above the limit and beyond its interval.

    `warn` is shown with it: a loss beyond its interval that the limit allows, or one that too few questions show, or
    that nobody can know.

    Args:
        compared: every measure of every mode that was asked.
        questions: how many the candidate was judged by.
        pairs: how many of them candidate and live were compared by.
        limits: of the corpus file.
        unknown: why nothing was compared, although something is live that it could be compared with.
    """
    figures = {"questions": float(questions), **_figures(compared)}
    stops, doubts = list(_below(compared, limits)), list(_lost(compared, limits, beyond=False))
    losses = list(_lost(compared, limits, beyond=True))
    if unknown:
        doubts.append(unknown)
    if pairs < FEWEST:
        doubts = [*losses, *doubts]
    else:
        stops += losses
    if stops:
        return Verdict("fail", _joined(stops), figures)
    if doubts:
        few = f"; {pairs} questions are too few to stop a version by" if losses else ""
        return Verdict("warn", _joined(doubts) + few, figures)
    return Verdict("none", "", figures)


def name_of(measure: str, k: int) -> str:
    """As the field writes it."""
    return {"recall": f"recall@{k}", "mrr": "MRR", "ndcg": "nDCG@10"}[measure]


def main_score(figures: Mapping[str, float]) -> str:
    """How many questions, and nDCG of the search that people use, or of vector search where that was asked alone."""
    return "; ".join([_questions(figures), *(_score(figures, mode, _MAIN, "nDCG@10") for mode in _asked(figures)[-1:])])


def all_scores(figures: Mapping[str, float], *, k: int) -> str:
    """How many questions, and every measure of every search: candidate, live, and the interval of their difference."""
    told = (_score(figures, mode, each, name_of(each, k)) for mode in _asked(figures) for each in MEASURES)
    return "; ".join([_questions(figures), *told])


def _questions(figures: Mapping[str, float]) -> str:
    return f"{figures['questions']:g} questions"


def _asked(figures: Mapping[str, float]) -> list[str]:
    return [mode for mode in MODES if f"{mode}_{_MAIN}" in figures]


def _score(figures: Mapping[str, float], mode: str, measure: str, name: str) -> str:
    key = f"{mode}_{measure}"
    told = f"{name} of {mode} search {figures[key]:.3f}"
    if f"{key}_low" not in figures:  # nothing was compared; or a verdict of an earlier release
        return told
    low, high = figures[f"{key}_low"], figures[f"{key}_high"]
    return f"{told}, live {figures[f'{key}_live']:.3f}, difference {low:+.3f} to {high:+.3f}"


def _figures(compared: Sequence[Compared]) -> dict[str, float]:
    """By `<mode>_<measure>`; `_live` is what is live, `_low` and `_high` the interval of the difference to it."""
    found: dict[str, float] = {}
    for each in compared:
        name = f"{each.mode}_{each.measure}"
        found[name] = round(each.candidate.mean, 4)
        if each.live is not None and each.difference is not None:
            found[f"{name}_live"] = round(each.live.mean, 4)
            found[f"{name}_low"] = round(each.difference.low, 4)
            found[f"{name}_high"] = round(each.difference.high, 4)
    return found


def _below(compared: Sequence[Compared], limits: Evaluation) -> Iterator[str]:
    for each in compared:
        least = limits.floor.get(each.measure)
        if each.mode == FLOOR_MODE and least is not None and each.candidate.mean < least:
            yield (
                f"{name_of(each.measure, limits.k)} of {each.mode} search is {each.candidate.mean:.3f}, below the"
                f" floor of {least:g} (evaluation.floor.{each.measure})"
            )


def _lost(compared: Sequence[Compared], limits: Evaluation, *, beyond: bool) -> Iterator[str]:
    """Losses outside their interval, nDCG first: above the limit, or within it."""
    for each in sorted(compared, key=lambda one: one.measure != "ndcg"):
        if each.live is None or each.difference is None or each.difference.high >= 0 or each.live.mean == 0:
            continue
        share = -each.difference.mean / each.live.mean
        if (share > limits.max_regression) is beyond:
            yield (
                f"{name_of(each.measure, limits.k)} of {each.mode} search fell from {each.live.mean:.3f} by"
                f" {share:.1%} (difference {each.difference.low:+.3f} to {each.difference.high:+.3f});"
                f" evaluation.max_regression allows {100 * limits.max_regression:g}%"
            )


def _joined(sentences: Sequence[str]) -> str:
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return sentences[0] + more
