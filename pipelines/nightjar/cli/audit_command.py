"""`audit`: every object of the live collection against the manifest."""

from __future__ import annotations

import secrets
import sys

import click

from nightjar.cli.options import json_option
from nightjar.cli.session import Session, pass_session
from nightjar.cli.terminal import emit, say
from nightjar.flows.audit import Findings
from nightjar.flows.audit import audit as compare
from nightjar.flows.audit import repair as mend
from nightjar.owner import Owner
from nightjar.plural import counted


@click.command()
@click.argument("corpus")
@click.option(
    "--repair",
    is_flag=True,
    help="Make lost manifest buckets again, mend what differs from stored vectors, then audit again.",
)
@json_option
@pass_session
def audit(session: Session, *, corpus: str, repair: bool, as_json: bool) -> None:
    """Compare the live collection of CORPUS with its manifest, both ways; exit 1 where they differ."""
    with session.opened(corpus) as services:
        services.index.check()
        name = services.corpus.name
        run_id = f"audit-{services.clock():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        found = mend(services, run_id=run_id, owner=Owner.command()) if repair else compare(services)
    if as_json:
        emit(found.as_json(name))
    else:
        _tell(name, found)
    if not found.ok:
        sys.exit(1)


def _tell(corpus: str, found: Findings) -> None:
    told = found.as_json(corpus)
    state = "is what its manifest says" if found.ok else "differs from its manifest"
    say(f"{corpus}: version {found.version} {state}" + (f"; {found.repaired:,} mended" if found.repaired else ""))
    if found.rebuilt:
        say(f"  manifest rows of {counted(found.rebuilt, 'document')} were lost, and are made again from the index")
    for number in found.given_up:
        say(f"  version {number} is given up: its manifest was lost, and nothing tells any more what it had")
    for problem in found.problems:
        say(f"  {problem}")
    for kind, ids in told["examples"].items():
        if ids:
            say(f"  {kind.replace('_', ' ')} {told[kind]:,}: {', '.join(ids)}")
    if not found.ok:
        say(f"  `nightjar audit {corpus} --repair` mends it from stored vectors")
