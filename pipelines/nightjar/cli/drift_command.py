"""`drift`: the report on any two versions, on demand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say, table
from nightjar.errors import Misconfigured
from nightjar.flows.drift import compare_versions
from nightjar.flows.rollback import version_before
from nightjar.flows.services import Services
from nightjar.flows.versions import read_live, version_numbers

_VERSION = click.IntRange(min=1)


@click.command()
@click.argument("corpus")
@click.argument("before", metavar="[A", type=_VERSION, required=False)
@click.argument("after", metavar="B]", type=_VERSION, required=False)
@click.option(
    "--out", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False), help="Write drift.json and drift.html."
)
@json_option
@pass_session
def drift(
    session: Session, *, corpus: str, before: int | None, after: int | None, out: Path | None, as_json: bool
) -> None:
    """Compare version B of CORPUS with version A; without them the live version with the one that it was made from.

    Says what the gate would say of it; nothing is decided or kept.
    """
    if before is not None and after is None:
        raise click.UsageError("name both versions, or neither")
    with session.opened(corpus) as services:
        pair = (before, after) if before is not None and after is not None else _last_step(services)
        made = compare_versions(services, *pair)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "drift.json").write_bytes(made.as_json)
        (out / "drift.html").write_text(made.page, "utf-8")
    if as_json:
        emit(made.values)
        return
    _tell(made.values)
    if out is not None:
        say(f"  the page is {out / 'drift.html'}")


def _last_step(services: Services) -> tuple[int, int]:
    """The live version and its parent."""
    live, name = read_live(services.state), services.corpus.name
    if live is None:
        raise Misconfigured(f"nothing is live: `nightjar run {name}` makes a first version")
    before = version_before(services, live)
    if before is None:
        raise Misconfigured(f"nothing is before version {live.version} to compare it with: {_other_pair(services)}")
    return before, live.version


def _other_pair(services: Services) -> str:
    name = services.corpus.name
    if len(version_numbers(services.state)) > 1:
        return f"`nightjar drift {name} A B` compares any two that `nightjar versions {name}` lists"
    return f"the next version that `nightjar run {name}` makes is compared with this one"


def _tell(values: Mapping[str, Any]) -> None:
    said = values["reason"] or "nothing moved beyond what a quiet night moves"
    say(f"{values['corpus']}: version {values['version']} against {values['live']}: {values['state']}: {said}")
    rows = [
        (each["detector"].replace("_", " "), each["state"], f"{each['value']:.4g}", f"{each['threshold']:.4g}")
        for each in values["detectors"]
    ]
    table(("detector", "verdict", "moved by", "at most"), rows)
