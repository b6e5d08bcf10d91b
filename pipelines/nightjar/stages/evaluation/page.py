"""`evaluation.json` as a page for a person who must decide: the verdict, the measures, the questions that moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from nightjar.stages.evaluation.verdict import FLOOR_MODE, name_of
from nightjar.stages.page import Html, link, page, table, tag, words

_MEASURED: Final = {
    "index": "The version's collection was asked by vector, by keyword and by both.",
    "overlay": "Vector search was foretold before anything was written; keyword and hybrid search are measured after.",
    "exact": "The version stands in no collection: its stored vectors were compared exactly, by vector only.",
}

Record = Mapping[str, Any]


def render_evaluation(report: Record) -> str:
    """A complete HTML page of what `report.report` made."""
    state, name = report["state"], f"{report['corpus']} version {report['version']}"
    return page(
        f"Evaluation of {name}: {state}",
        tag("h1", f"Evaluation of {name}: ", tag("span", words(state), css=state)),
        tag("p", f"{report['reason']}." if report["reason"] else _quiet(report), css="lead"),
        tag("p", _asked(report), css="soft"),
        tag("h2", "Measures"),
        tag("div", table(("measure", *_sides(report)), _measures(report)), css="narrow"),
        *_section("Questions that got worse", "worse", report),
        *_section("Other questions that found nothing wanted", "missed", report),
        *_section("Questions that got better", "better", report),
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
        f"{report['questions']} questions were asked{compared}. Documents are ranked by their best chunk; below"
        f" each measure stands its 95 % interval over questions. {_MEASURED[report['measured']]} {_time(report['at'])}."
    )


def _time(at: str) -> str:
    return at.replace("T", " ").replace("+00:00", " UTC")


def _sides(report: Record) -> tuple[str, ...]:
    before = f"version {report['live']}" if report["live"] else "live"
    if report["live"] == report["version"]:
        before += ", as recorded"
    return before, f"version {report['version']}", "difference"


def _measures(report: Record) -> Iterator[tuple[str, ...]]:
    for each in report["measures"]:
        yield (
            _two(name_of(each["measure"], report["k"]), each["mode"]),
            _estimate(each["live"]),
            tag("div", _estimate(each["candidate"]), _floor(each, report)),
            _difference(each["difference"]),
        )


def _two(first: str, second: str) -> Html:
    """A figure, and below it what it is read with."""
    return tag("div", first, tag("div", second, css="soft"))


def _floor(each: Record, report: Record) -> Html:
    floor = report["floor"].get(each["measure"]) if each["mode"] == FLOOR_MODE else None
    if floor is None:
        return Html("")
    return tag("div", f"floor {floor:g}", css="fail" if each["candidate"]["mean"] < floor else "soft")


def _estimate(estimate: Record | None) -> str:
    if estimate is None:
        return "-"
    return _two(f"{estimate['mean']:.3f}", f"{estimate['low']:.3f} to {estimate['high']:.3f}")


def _difference(estimate: Record | None) -> str:
    if estimate is None:
        return "-"
    css = "fail" if estimate["high"] < 0 else "pass" if estimate["low"] > 0 else "soft"
    mean = tag("span", f"{estimate['mean']:+.3f}", css=css)
    return _two(mean, f"{estimate['low']:+.3f} to {estimate['high']:+.3f}")


def _section(title: str, name: str, report: Record) -> Iterator[Html]:
    listed = report[name]
    count = report.get(f"{name}_count", len(listed))  # a page is drawn again from reports of earlier releases, too
    if listed:
        yield tag("h2", title)
        for each in listed:
            yield tag("div", *_question(each, report), css="panel")
    if count > len(listed):
        yield tag("p", f"And {count - len(listed):,} more, {count:,} in all.", css="soft")


def _question(each: Record, report: Record) -> Iterator[Html]:
    now, before = each["now"], each["before"]
    scores = f"nDCG@10 {now['scores']['ndcg']:.3f}"
    if before:
        scores = f"nDCG@10 from {before['scores']['ndcg']:.3f} to {now['scores']['ndcg']:.3f}"
    yield tag("h3", each["question"])
    yield tag("p", f"Line {each['line']}, {each['mode']} search: {scores}. Wanted: ", *_wanted(each), css="soft")
    before_found = [_found(f"Version {report['live']} found", before["found"])] if before and before["found"] else []
    yield tag("div", *before_found, _found(f"Version {report['version']} found", now["found"]), css="beside")


def _wanted(each: Record) -> Iterator[str]:
    for place, relevant in enumerate(each["relevant"]):
        yield "; " if place else ""
        yield tag("bdi", relevant["named"])
        yield f", page {relevant['page']}" if relevant["page"] else ""
        yield from (", “", tag("bdi", relevant["passage"]), "”") if relevant["passage"] else ()


def _found(title: str, found: Sequence[Record]) -> Html:
    """A numbered list, best first; the words of documents stand apart, whichever way they are written."""
    listed = (tag("li", *_hit(each), *_excerpt(each["excerpt"])) for each in found)
    return tag("div", tag("p", title if found else f"{title} nothing"), tag("ol", *listed))


def _excerpt(text: str) -> Iterator[Html]:
    if text:  # a record of an earlier evaluation has none
        yield tag("div", text, css="soft")


def _hit(each: Record) -> Iterator[str]:
    yield tag("bdi", link(each["uri"]))
    yield f", page {each['page']}" if each["page"] else ""
    if each["relevant"]:
        yield from (" ", tag("strong", "wanted", css="pass"))


def _trend(report: Record) -> Iterator[Html]:
    past = [*report["trend"], report]
    modes = {each["mode"] for each in report["measures"]}
    shown = f"{FLOOR_MODE if FLOOR_MODE in modes else 'vector'}_ndcg"
    values = [(each["version"], each["figures"][shown]) for each in past if shown in each["figures"]]
    if len(values) > 1:
        from nightjar.stages.plots import sparkline  # noqa: PLC0415 - brings the library that draws

        title = f"nDCG@10 of {shown.removesuffix('_ndcg')} search over the last {len(values)} evaluations"
        yield tag("h2", title)
        yield tag("figure", sparkline(values, (), said=f"{title}, from version {values[0][0]} to {values[-1][0]}"))
        yield tag("div", table(("when", "version", "verdict", "nDCG@10"), _past(past, shown)), css="narrow")


def _past(past: Sequence[Record], shown: str) -> Iterator[tuple[str, ...]]:
    for each in reversed(past):
        state = tag("span", words(each["state"]), css=each["state"])
        yield _time(each["at"]), str(each["version"]), state, _figure(each, shown)


def _figure(each: Record, shown: str) -> str:
    value = each["figures"].get(shown)
    return "-" if value is None else f"{value:.3f}"


def _unknown(report: Record) -> Iterator[Html]:
    count, listed = report["unknown_count"], report["unknown"]
    if count:
        yield tag("h2", f"Answers that this version does not know: {count}")
        yield tag("p", "These documents are not in the corpus; correct the file of questions, or bring them back.")
        yield tag("ul", *(tag("li", f"line {each['line']}: ", tag("bdi", each["document"])) for each in listed))
