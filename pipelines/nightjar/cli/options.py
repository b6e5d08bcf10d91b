"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from nightjar.corpus import Corpus
from nightjar.errors import Misconfigured
from nightjar.flows.runs import Options
from nightjar.flows.searching import typed_where
from nightjar.recipe import STAGES

C = TypeVar("C", bound=Callable[..., object])
_CHOSEN: Final = "nightjar.cli.options"

json_option: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def equality(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, str] | None:
    """`team=hr` as a pair (a callback of click's); wrong usage where there is no `=`."""
    if value is None:
        return None
    name, equals, wanted = value.partition("=")
    if not equals or not name.strip():
        raise click.BadParameter(f"{value!r} has no name and value: write name=value", ctx=ctx, param=param)
    return name.strip(), wanted.strip()


def equalities(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`equality` for an option that may stand several times."""
    pairs = (equality(ctx, param, value) for value in values)
    return tuple(pair for pair in pairs if pair is not None)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.meta.setdefault(_CHOSEN, {})[param.name] = value


def _keep_equality(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    _keep(ctx, param, equality(ctx, param, value))


_OPTIONS: Final = (
    click.option(
        "--full-refresh", is_flag=True, expose_value=False, callback=_keep, help="Make every document again from bytes."
    ),
    click.option("--prefix", metavar="P", expose_value=False, callback=_keep, help="Only keys that begin so."),
    click.option(
        "--where",
        metavar="FIELD=VALUE",
        expose_value=False,
        callback=_keep_equality,
        help="Only documents whose metadata field has this value in the live version.",
    ),
    click.option("--failed", is_flag=True, expose_value=False, callback=_keep, help="Only quarantined documents."),
    click.option(
        "--recompute",
        type=click.Choice(STAGES),
        expose_value=False,
        callback=_keep,
        help="Make again from this stage on, whatever is stored.",
    ),
    click.option(
        "--approve-deletions",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Delete what the deletion guard withheld, as `plan --documents` lists it; before it withheld any, what is"
        " missing tonight.",
    ),
    click.option(
        "--approve-cost",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Go on above `limits`, and make again what an older parser or chunker made.",
    ),
)


def night_options(command: C) -> C:
    """Adds the flags that say what a night looks at; `chosen` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(ctx: click.Context, corpus: Corpus, *, promote: bool = True) -> Options:
    """What was asked of the night.

    Raises:
        Misconfigured: a prefix outside the corpus, a field that it does not have, or a value that is not of its kind.
    """
    given = ctx.meta[_CHOSEN]
    prefix = _below(given["prefix"], corpus)
    where = _comparable(given["where"], corpus)
    return Options(**{**given, "prefix": prefix, "where": where, "promote": promote})


def _below(prefix: str | None, corpus: Corpus) -> str | None:
    """Relative to source.uri; a whole address is understood, too."""
    if prefix is None or not prefix.startswith("s3://"):
        return prefix
    if not prefix.startswith(corpus.source.uri):
        raise Misconfigured(f"--prefix {prefix} lies outside {corpus.source.uri}: give a prefix below that")
    return prefix.removeprefix(corpus.source.uri)


def _comparable(where: tuple[str, str] | None, corpus: Corpus) -> tuple[str, str] | None:
    """As `search` takes it, of metadata fields alone; a value that no document can have is refused."""
    if where is None:
        return None
    name, value = where
    fields = corpus.metadata.fields
    if name not in fields:
        known = ", ".join(sorted(fields)) or "none"
        raise Misconfigured(f"--where {name}: {corpus.name} has no such metadata field; it has {known}")
    typed = typed_where(corpus, [where])[name]
    return name, str(typed).lower() if isinstance(typed, bool) else value
