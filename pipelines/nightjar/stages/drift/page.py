"""The drift report as a page: first what happened and what to look at, then each detector, then the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from nightjar.stages.drift.explain import Projection
from nightjar.stages.drift.findings import FAIL, NONE, STATES, WARN, shown
from nightjar.stages.drift.plots import scatter
from nightjar.stages.page import Html, link, page, table, tag, words
from nightjar.stages.plots import sparkline

Fields = Mapping[str, Any]
_GREW: Final = 1.5
_LEAD: Final = {
    NONE: "Nothing moved beyond what a quiet night moves.",
    WARN: "The content moved beyond what a quiet night moves.",
    FAIL: "Something is wrong with this version.",
}
_ABOUT: Final[Mapping[str, str]] = {
    "canary": "fixed texts embedded tonight, against the live version's (1 - lowest cosine)",
    "canary_norm": "length of the fixed texts' vectors",
    "dimensions": "length of the vectors",
    "finite": "numbers in vectors that are none",
    "norm": "length of the vectors, distance from 1",
    "truncation": "tokens that the model never read",
    "mojibake": "documents with misread characters",
    "set_aside": "documents that the quality rules set aside as misread or boilerplate",
    "replaced": "documents with characters that could not be read",
    "short": "passages as short as the shortest tenth of the live ones",
    "unfinished": "passages that do not end like a sentence",
    "cut": "documents that break off in the middle of a sentence",
    "empty": "passages with hardly a letter",
    "phrase": "documents that share a phrase of six words",
    "types": "share of a media type",
    "languages": "share of a language",
    "sizes": "share of a size",
    "novelty": "passages that resemble nothing in the live version",
    "centroid": "the mean vector (1 - cosine)",
    "mmd": "spread of the vectors (MMD²)",
}


def render_drift(report: Fields, dots: Projection | None) -> str:
    """A complete HTML page of `drift.json`; `dots` are its plot, None where nothing is plotted."""
    state, name = report["state"], f"version {report['version']} against version {report['live']}"
    return page(
        f"Drift of {report['corpus']}, {name}: {state}",
        tag("h1", f"Drift of {report['corpus']}: ", tag("span", state, css=state)),
        tag("p", f"{_LEAD[state]} {_sentence(report['reason']) if state != NONE else ''}", css="lead"),
        tag("p", f"{name[0].upper()}{name[1:]}. {_sample(report['sample'])}", css="soft"),
        *(tag("p", f"Note: {note}.") for note in report["notes"]),
        _look(report),
        tag("h2", "Detectors"),
        _detectors(report),
        *_clusters(report["clusters"], dots),
        tag("h2", "New and changed documents that moved the figures most"),
        table(("document", "title", "moved", "passages", "novel", "damage"), map(_document, report["documents"])),
        *_set_aside(_aside(report)),
        tag("h2", "What the corpus is made of"),
        *(part for kind, moved in report["composition"].items() for part in _composition(kind, moved)),
    )


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _sample(sample: Fields) -> str:
    live, now = sample["live"], sample["candidate"]
    return (
        f"Compared are samples of {live['documents']:,} documents ({live['chunks']:,} passages) and "
        f"{now['documents']:,} ({now['chunks']:,}); {sample['added']:,} of them are new or changed, "
        f"{sample['removed']:,} are gone or were changed."
    )


def _look(report: Fields) -> Html:
    """What moved, and where to look first."""
    moved = [each for each in report["detectors"] if each["state"] != NONE]
    if not moved:
        return Html("")
    moved.sort(key=lambda each: -STATES.index(each["state"]))
    lines = [tag("li", tag("span", each["state"], css=each["state"]), f": {each['says']}") for each in moved]
    grown = [each for each in report["clusters"] if each["lift"] > _GREW]
    look = [tag("li", f"passages about {', '.join(each['terms'][:5])}") for each in grown[:3]]
    aside = _aside(report) if any(each["detector"] == "set_aside" for each in moved) else ()
    look += [tag("li", link(each["source_uri"])) for each in (*aside[:3], *report["documents"][:3])]
    return tag("section", tag("h2", "What moved"), tag("ul", *lines), *_first(look), css="panel")


def _aside(report: Fields) -> Sequence[Fields]:
    """None in reports of earlier releases, which are drawn again where a document is erased."""
    found: Sequence[Fields] = report.get("set_aside", ())
    return found


def _set_aside(found: Sequence[Fields]) -> Iterator[Html]:
    if found:
        yield tag("h2", "Documents set aside tonight, as the quarantine tells them")
        rows = ((link(each["source_uri"]), words(each["code"]), each["reason"]) for each in found)
        yield table(("document", "code", "reason"), rows)


def _first(look: Sequence[Html]) -> Iterator[Html]:
    if look:
        yield tag("h2", "Look at")
        yield tag("ul", *look)


def _detectors(report: Fields) -> Html:
    order = sorted(report["detectors"], key=lambda each: (-STATES.index(each["state"]), -_beyond(each)))
    rows = [_detector(each, report) for each in order]
    return table(("detector", "verdict", "before", "now", "moved by", "at most", "last versions"), rows)


def _beyond(each: Fields) -> float:
    return float(each["value"] / max(each["threshold"], 1e-9))


def _detector(each: Fields, report: Fields) -> tuple[str, ...]:
    unit = each["unit"]
    sides = (shown(each[side], unit) if each[side] is not None else "" for side in ("before", "after"))
    name = tag("div", tag("strong", words(each["detector"])), tag("div", _ABOUT.get(each["detector"], ""), css="soft"))
    state = tag("span", each["state"], css=each["state"])
    return (name, state, *sides, shown(each["value"], unit), shown(each["threshold"], unit), _history(each, report))


def _history(each: Fields, report: Fields) -> Html:
    name = each["detector"]
    told = [*report["history"], {"version": report["version"], **report}]
    past = [one for one in told if name in one["figures"]]
    values = [(one["version"], one["figures"][name]) for one in past]
    limits = [one["thresholds"][name] for one in past]
    return sparkline(values, limits, said=f"{words(name)} over the last versions, with its threshold")


def _clusters(found: Sequence[Fields], dots: Projection | None) -> Iterator[Html]:
    if dots is not None:
        yield tag("h2", "Where the passages lie")
        yield tag("figure", scatter(dots))
    if found:
        yield tag("h2", "What the passages talk about, most moved first")
    for each in found:
        yield tag(
            "section",
            tag("h3", ", ".join(each["terms"]) or "no words"),
            tag("p", f"{shown(each['before'])} before, {shown(each['after'])} now (lift {each['lift']:.1f})"),
            *(tag("blockquote", excerpt) for excerpt in each["excerpts"]),
            *(tag("div", link(uri), css="soft") for uri in each["documents"]),
            *(tag("div", "left or changed: ", link(uri), css="soft") for uri in each.get("gone", ())),
            css="panel",
        )


def _composition(kind: str, moved: Mapping[str, Sequence[float]]) -> tuple[Html, Html]:
    rows = [(value, shown(before), shown(now)) for value, (before, now) in moved.items()]
    return tag("h3", words(kind).capitalize()), table((words(kind), "before", "now"), rows)


def _document(each: Fields) -> tuple[str | int, ...]:
    moved = ", ".join(map(words, each["moved"]))
    return link(each["source_uri"]), each["title"], moved, each["passages"], each["novel"], shown(each["damage"])
