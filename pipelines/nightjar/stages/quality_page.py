"""The quality report as one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nightjar.stages.page import number, page, table, tag, words


def render_quality(report: Mapping[str, Any]) -> str:
    """A complete HTML page of `quality.json`.

    Reads `state`, `reason`, `figures`, `codes` (documents by code), `repeats` and `quarantined` (rows with uri,
    failure_stage, failure_code, failure_reason; perhaps only the first of them), and shows `corpus` and `set_aside`
    (metadata values by field and reason) where they are given.
    """
    state, name = report["state"], report.get("corpus", "this version")
    codes: Mapping[str, int] = report["codes"]
    more = sum(codes.values()) - len(report["quarantined"])
    return page(
        f"Quality of {name}: {state}",
        tag("h1", f"Quality of {name}: ", tag("span", state, css=state)),
        tag("p", report["reason"] or "Nothing to object.", css="lead"),
        tag("h2", "Documents"),
        table(("what", "number"), [(words(what), number(n)) for what, n in report["figures"].items()]),
        tag("h2", "Repeats"),
        table(("how", "documents"), [(words(how), number(n)) for how, n in report["repeats"].items()]),
        tag("h2", "Set aside tonight, by reason"),
        table(("code", "documents"), [(code, codes[code]) for code in sorted(codes, key=lambda c: (-codes[c], c))]),
        tag("h2", "Documents set aside tonight"),
        table(("document", "stage", "code", "reason"), [_row(document) for document in report["quarantined"]]),
        tag("p", f"And {more:,} more: ", tag("code", "nightjar quarantine"), " lists all that were not erased.")
        if more > 0
        else "",
        *_set_aside(report.get("set_aside", ())),
    )


def _set_aside(tally: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    if not tally:
        return ()
    rows = [(each["field"] or "others", each["why"], number(each["values"])) for each in tally]
    return tag("h2", "Metadata values set aside"), table(("field", "the value", "values"), rows)


def _row(document: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(document[key]) for key in ("uri", "failure_stage", "failure_code", "failure_reason"))
