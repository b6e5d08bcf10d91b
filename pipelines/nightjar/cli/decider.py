"""Who decides at this prompt, and why."""

from __future__ import annotations

import secrets
from typing import Final

import click

from nightjar.flows.services import Services
from nightjar.owner import Decider, Owner, person

reason_option: Final = click.option(
    "--reason", metavar="R", default="", help="Kept in the history, for whoever asks why."
)


def decider_of(services: Services, what: str, reason: str) -> Decider:
    """The person at this prompt, with a run id that is new for each command."""
    run_id = f"{what}-{services.clock():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    return Decider(run_id=run_id, owner=Owner.command(), actor=person(), reason=reason)
