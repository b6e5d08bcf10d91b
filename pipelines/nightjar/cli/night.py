"""One night from a shell: tried again while the outside does not answer, and told even when it was held back."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nightjar.errors import HeldBack, Superseded, Transient
from nightjar.flows.night import report_of, run_night
from nightjar.flows.quarantine import quarantined
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.verdicts import GATES
from nightjar.flows.versions import read_live, read_version
from nightjar.owner import Owner

log = logging.getLogger(__name__)
_PAUSES_S: Final = (5.0, 20.0)
_DOCUMENTS: Final = ("added", "changed", "deleted", "renamed", "unchanged", "quarantined")
_CHUNKS: Final = ("total", "written", "deleted", "embedded", "reused", "truncated_tokens")
_SECONDS: Final = ("plan", "parse", "chunk", "check", "embed", "gates", "index", "verify", "promote", "total")


@dataclass(frozen=True, slots=True)
class Told:
    """How a night ended: its report, the codes of all that is in quarantine now, and what held it back."""

    report: Mapping[str, Any]
    codes: tuple[str, ...]
    held: HeldBack | Superseded | None


def new_run_id(now: datetime) -> str:
    """`cli-20261123T010203-9f2c`: when, and four digits for two commands in one second."""
    return f"cli-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def spend_night(services: Services, *, options: Options, sleep: Callable[[float], None]) -> Told:
    """Run one night, in the end with its report.

    Raises:
        Transient: the outside did not answer three times.
        Misconfigured: no retry can help.
    """
    run_id = new_run_id(services.clock())
    held: HeldBack | Superseded | None = None
    try:
        report = _patiently(services, run_id=run_id, options=options, sleep=sleep)
    except (HeldBack, Superseded) as error:
        held = error
        kept = report_of(services, run_id) if isinstance(error, HeldBack) else None
        report = kept or empty_report(services.corpus.name, run_id, reason=str(error))
    return Told(report, _codes(services, report["version"]), held)


def _patiently(
    services: Services, *, run_id: str, options: Options, sleep: Callable[[float], None]
) -> Mapping[str, Any]:
    """The same run again after a pause: its steps find what is done already."""
    owner = Owner.command()
    for pause in _PAUSES_S:
        try:
            return run_night(services, run_id=run_id, owner=owner, options=options)
        except Transient as error:
            log.warning("run=%s did not get through, again in %.0f s: %s", run_id, pause, error)
            sleep(pause)
    try:
        return run_night(services, run_id=run_id, owner=owner, options=options)
    except Transient as error:
        tried = len(_PAUSES_S) + 1
        raise Transient(f"{error} (tried {tried} times; what was done is kept, and the next run resumes)") from error


def empty_report(corpus: str, run_id: str, *, reason: str) -> dict[str, Any]:
    """The promised shape for a run that another kept from beginning."""
    return {
        "format": 1,
        "corpus": corpus,
        "run_id": run_id,
        "version": None,
        "state": "held",
        "reason": reason,
        "documents": dict.fromkeys(_DOCUMENTS, 0),
        "chunks": dict.fromkeys(_CHUNKS, 0),
        "parsed": 0,
        "tokens": 0,
        "set_aside": [],
        "seconds": dict.fromkeys(_SECONDS, 0.0),
        "verdicts": dict.fromkeys(GATES),
    }


def _codes(services: Services, version: int | None) -> tuple[str, ...]:
    live = read_live(services.state) if version is None else None
    number = live.version if live else version
    if number is None:
        return ()
    return tuple(row["code"] for row in quarantined(services, read_version(services.state, number)))
