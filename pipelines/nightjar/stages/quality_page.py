"""The quality report as one page that loads nothing from elsewhere: every word of it is escaped, light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --warn: #d29922; --bad: #f85149; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem .3rem 0;
border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.pass, .info { color: var(--good); } .warn, .warning { color: var(--warn); } .fail, .critical { color: var(--bad); }
"""


def render_quality(report: Mapping[str, Any]) -> str:
    """A complete HTML page of `quality.json`.

    Reads `state`, `reason`, `figures`, `codes` (documents by code), `repeats` and `quarantined` (rows with uri,
    failure_stage, failure_code, failure_reason; perhaps only the first of them), and shows `corpus` where it is given.
    """
    state, name = report["state"], report.get("corpus", "this version")
    title = f"Quality of {name}: {state}"
    codes: Mapping[str, int] = report["codes"]
    more = sum(codes.values()) - len(report["quarantined"])
    parts = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<title>{_text(title)}</title><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        f'<h1>Quality of {_text(name)}: <span class="{_text(state)}">{_text(state)}</span></h1>',
        f"<p>{_text(report['reason'] or 'Nothing to object.')}</p>",
        "<h2>Documents</h2>",
        _table(("what", "number"), [(_words(what), _number(n)) for what, n in report["figures"].items()]),
        "<h2>Repeats</h2>",
        _table(("how", "documents"), [(_words(how), _number(n)) for how, n in report["repeats"].items()]),
        "<h2>Set aside tonight, by reason</h2>",
        _table(("code", "documents"), [(code, codes[code]) for code in sorted(codes, key=lambda c: (-codes[c], c))]),
        "<h2>Documents set aside tonight</h2>",
        _table(("document", "stage", "code", "reason"), [_row(document) for document in report["quarantined"]]),
        f"<p>And {more:,} more: <code>nightjar quarantine</code> lists all that were not erased.</p>"
        if more > 0
        else "",
        "</body></html>\n",
    )
    return "".join(parts)


def _row(document: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(document[key]) for key in ("uri", "failure_stage", "failure_code", "failure_reason"))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> str:
    """Integers are set right; an empty table says so."""
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    if not body:
        return "<p>None.</p>"
    return f"<table><tr>{''.join(f'<th>{_text(name)}</th>' for name in head)}</tr>{body}</table>"


def _cell(value: str | int) -> str:
    return f'<td class="number">{value:,}</td>' if isinstance(value, int) else f"<td>{_text(value)}</td>"


def _text(value: str) -> str:
    """Escaped, and without lone surrogates, which no page can carry."""
    return escape(value.encode("utf-8", "replace").decode("utf-8"))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float) -> str | int:
    return int(value) if float(value).is_integer() else f"{value:.4g}"
