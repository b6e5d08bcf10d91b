"""`evaluation.json` as a page for a person who must decide: the verdict, the measures, the questions that moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from nightjar.stages.evaluation.verdict import FLOOR_MODE, name_of
from nightjar.stages.page import Html, page, table, tag, words

_MEASURED: Final = {
    "index": "The version's collection was asked by vector, by keyword and by both.",
    "overlay": "Vector search was foretold before anything was written; keyword and hybrid search are measured after.",
    "exact": "The version stands in no collection: its stored vectors were compared exactly, by vector only.",
}
_PLOT: Final = (600, 80)

Record = Mapping[str, Any]


def render_evaluation(report: Record) -> str:
    """A complete HTML page of what `report.report` made."""
    state, name = report["state"], f"{report['corpus']} version {report['version']}"
    return page(
        f"Evaluation of {name}: {state}",
        tag("h1", f"Evaluation of {name}: ", tag("span", words(state), css=state)),
        tag("p", report["reason"] or _quiet(report), css="lead"),
        tag("p", _asked(report), css="soft"),
        tag("h2", "Measures"),
        table(("search", "measure", *_sides(report)), list(_measures(report))),
        *_section("Questions that got worse", report["worse"], report),
        *_section("Questions that found nothing wanted", report["missed"], report),
        *_section("Questions that got better", report["better"], report),
        *_trend(report),
        *_unknown(report),
    )


def _quiet(report: Record) -> str:
    if report["live"] is None:
        return "No measure is below its floor; there was nothing to compare with."
    before = "its own record" if report["live"] == report["version"] else f"version {report['live']}"
    return f"No measure lost more against {before} than chance explains."


def _asked(report: Record) -> str:
    compared = f", {report['compared']} of them of version {report['live']}, too" if report["live"] else ""
    return (
        f"{report['questions']} questions were asked{compared}. Documents are ranked by their best chunk; in brackets"
        f" stands the 95 % interval over questions. {_MEASURED[report['measured']]} {report['at']}"
    )


def _sides(report: Record) -> tuple[str, ...]:
    before = f"version {report['live']}" if report["live"] else "live"
    if report["live"] == report["version"]:
        before += ", as recorded"
    return before, f"version {report['version']}", "difference", "floor"


def _measures(report: Record) -> Iterator[tuple[str | int, ...]]:
    for each in report["measures"]:
        floor = report["floor"].get(each["measure"]) if each["mode"] == FLOOR_MODE else None
        yield (
            each["mode"],
            name_of(each["measure"], report["k"]),
            _estimate(each["live"]),
            _estimate(each["candidate"]),
            _difference(each["difference"]),
            "-" if floor is None else f"{floor:g}",
        )


def _estimate(estimate: Record | None) -> str:
    return f"{estimate['mean']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})" if estimate else "-"


def _difference(estimate: Record | None) -> str:
    if estimate is None:
        return "-"
    told = f"{estimate['mean']:+.3f} ({estimate['low']:+.3f} to {estimate['high']:+.3f})"
    css = "fail" if estimate["high"] < 0 else "pass" if estimate["low"] > 0 else "soft"
    return tag("span", told, css=css)


def _section(title: str, questions: Sequence[Record], report: Record) -> Iterator[Html]:
    if questions:
        yield tag("h2", title)
        for each in questions:
            yield tag("div", *_question(each, report), css="panel")


def _question(each: Record, report: Record) -> Iterator[Html]:
    now, before = each["now"], each["before"]
    scores = f"nDCG@10 {now['scores']['ndcg']:.3f}"
    if before:
        scores = f"nDCG@10 from {before['scores']['ndcg']:.3f} to {now['scores']['ndcg']:.3f}"
    yield tag("h3", each["question"])
    yield tag("p", f"Line {each['line']}, {each['mode']} search: {scores}. Wanted: {_wanted(each)}", css="soft")
    yield _found(f"Found in version {report['version']}", now["found"])
    if before and before["found"]:
        yield _found(f"Found in version {report['live']}", before["found"])


def _wanted(each: Record) -> str:
    return "; ".join(
        relevant["named"]
        + (f", page {relevant['page']}" if relevant["page"] else "")
        + (f", “{relevant['passage']}”" if relevant["passage"] else "")
        for relevant in each["relevant"]
    )


def _found(title: str, found: Sequence[Record]) -> Html:
    rows = [
        (
            each["uri"] + (f", page {each['page']}" if each["page"] else ""),
            each["excerpt"],
            tag("strong", "yes") if each["relevant"] else "no",
        )
        for each in found
    ]
    return tag("div", tag("p", f"{title}, best first"), table(("document", "begins", "wanted"), rows))


def _trend(report: Record) -> Iterator[Html]:
    past = [*report["trend"], report]
    modes = {each["mode"] for each in report["measures"]}
    shown = f"{FLOOR_MODE if FLOOR_MODE in modes else 'vector'}_ndcg"
    values = [each["figures"][shown] for each in past if shown in each["figures"]]
    if len(values) > 1:
        yield tag("h2", f"nDCG@10 of {shown.removesuffix('_ndcg')} search over the last {len(values)} evaluations")
        yield _plot(values)
        rows = [(each["at"], f"version {each['version']}", words(each["state"]), _figure(each, shown)) for each in past]
        yield table(("when", "what", "verdict", "nDCG@10"), reversed(rows))


def _figure(each: Record, shown: str) -> str:
    value = each["figures"].get(shown)
    return "-" if value is None else f"{value:.3f}"


def _plot(values: Sequence[float]) -> Html:
    """A line from 0 at the bottom to 1 at the top."""
    width, height = _PLOT
    step = width / (len(values) - 1)
    points = " ".join(f"{place * step:.1f},{height * (1 - value):.1f}" for place, value in enumerate(values))
    return Html(
        f'<svg viewBox="0 -4 {width} {height + 8}" width="{width}" role="img" aria-label="nDCG@10 over time">'
        f'<path d="M0 {height}H{width}M0 0H{width}" stroke="var(--line)"/>'
        f'<polyline points="{points}" fill="none" stroke="var(--after)" stroke-width="2"/></svg>'
    )


def _unknown(report: Record) -> Iterator[Html]:
    count, listed = report["unknown_count"], report["unknown"]
    if count:
        yield tag("h2", f"Answers that this version does not know: {count}")
        yield tag("p", "These documents are not in the corpus; correct the file of questions, or bring them back.")
        yield table(("line", "document"), [(str(each["line"]), each["document"]) for each in listed])
