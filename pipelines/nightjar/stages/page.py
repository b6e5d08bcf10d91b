"""One home for how reports look: a page that loads nothing from elsewhere, every word escaped, light, dark and print.

A report is made of `Html`; whatever else is put into it, a document's title or its text, is escaped on the way in.
The page forbids scripts and every request by its own Content-Security-Policy, should an escape ever be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_LINKED: Final = ("s3://", "https://")
_STYLE: Final = """
:root { color-scheme: light dark; --text: #1f2328; --page: #fff; --soft: #59636e; --line: #8884; --panel: #8881;
--good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --before: #57606a; --after: #0969da; --new: #bc4c00; }
@media screen and (prefers-color-scheme: dark) { :root { --text: #e6edf3; --page: #0d1117; --soft: #9198a1;
--good: #3fb950; --warn: #d29922; --bad: #f85149; --before: #8b949e; --after: #58a6ff; --new: #f0883e; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: var(--text);
background: var(--page); overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
.panel > h2:first-child, .panel > h3:first-child { margin-top: .2rem; } figure { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem .3rem 0;
border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
th { white-space: nowrap; } td:first-child { overflow-wrap: anywhere; min-width: 9rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.lead { font-size: 1.15rem; margin: .4rem 0 1rem; } .soft { color: var(--soft); }
.pass, .none, .info { color: var(--good); } .warn, .warning { color: var(--warn); }
.fail, .critical { color: var(--bad); }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
padding: .6rem .9rem; margin: .8rem 0; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 0 1.5rem; }
.beside > * { min-width: 0; } .beside p { margin: .4rem 0 .2rem; } .beside ol { margin: 0; padding-left: 1.4rem; }
.beside li { margin-bottom: .4rem; } li::marker { color: var(--soft); }
.narrow td:first-child { min-width: 0; overflow-wrap: normal; }
blockquote { margin: .4rem 0; padding-left: .8rem; border-left: 3px solid var(--line); color: var(--soft); }
svg { max-width: 100%; height: auto; } svg text { fill: currentColor; } a { color: inherit; }
@media screen and (max-width: 40rem) { body { margin: 1rem auto; font-size: 14px; }
:not(.narrow) > .wide :is(table, tbody, tr, td) { display: block; min-width: 0; border: 0; padding: 0; }
:not(.narrow) > .wide :is(tr:has(th), tr > td:empty:not(:first-child)) { display: none; }
:not(.narrow) > .wide tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
:not(.narrow) > .wide td:not(:first-child) { display: flex; gap: .6rem; text-align: left; }
:not(.narrow) > .wide td:not(:first-child)::before { content: attr(data-head); flex: 0 0 6rem; color: var(--soft); } }
@media print { :root { color-scheme: light; --text: #000; } body { max-width: none; margin: 0; font-size: 10pt; }
.panel, tr, li, figure, svg { break-inside: avoid; } h2, h3 { break-after: avoid; }
.panel:has(.beside) { break-inside: auto; } }
"""


class Html(str):
    """Markup that may stand in a page as it is: made here, or drawn by us; never a document's text."""

    __slots__ = ()


def text(value: str) -> Html:
    """Escaped unless it is `Html` already, and without lone surrogates, which no page can carry."""
    return value if isinstance(value, Html) else Html(escape(value.encode("utf-8", "replace").decode("utf-8")))


def tag(name: str, *inside: str, css: str = "") -> Html:
    """An element around texts, which are escaped, and `Html`, which is not; `css` are its classes."""
    classes = f' class="{text(css)}"' if css else ""
    return Html(f"<{name}{classes}>{''.join(map(text, inside))}</{name}>")


def link(uri: str) -> Html:
    """A source as a link that tells its target nothing; another scheme, or what cannot be printed, stays text."""
    shown = text(uri)
    if not uri.startswith(_LINKED) or not uri.isprintable():
        return shown
    return Html(f'<a href="{shown}" rel="noreferrer">{shown}</a>')


def table(head: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> Html:
    """Integers are set right, on a phone each row is a list under its first cell; an empty table says so."""
    body = [tag("tr", *map(_cell, head, row)) for row in rows]
    if not body:
        return tag("p", "None.")
    return tag("div", tag("table", tag("tr", *(tag("th", name) for name in head)), *body), css="wide")


def page(title: str, *parts: str) -> str:
    """A complete document; `parts` follow its title, which is for the window's bar only."""
    head = (
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        tag("title", title),
        f"<style>{_STYLE}</style>",
    )
    body = "".join(map(text, parts))
    return f'<!doctype html>\n<html lang="en"><head>{"".join(head)}</head><body>{body}</body></html>\n'


def words(name: str) -> str:
    """A key as a person would write it."""
    return name.replace("_", " ")


def number(value: float) -> str | int:
    """Whole numbers as such, others to four digits."""
    return int(value) if float(value).is_integer() else f"{value:.4g}"


def _cell(head: str, value: str | int) -> Html:
    shown, css = (f"{value:,}", ' class="number"') if isinstance(value, int) else (value, "")
    return Html(f'<td data-head="{text(head)}"{css}>{text(shown)}</td>')
