"""What `lease.json` says: who holds the corpus, since when, and who lost it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from nightjar.owner import Owner, Process
from nightjar.registers import Fields, Json

_REMEMBERED: Final = 50  # ousted runs; older ones have long ended


@dataclass(frozen=True, slots=True)
class Holding:
    """One state of the lease; times are UTC, `ttl_s` seconds without renewal until others may take over.

    `ousted` are the runs whose lease was taken without their releasing it: none of them gets it back.
    """

    run_id: str
    attempt: int
    owner: Owner
    since: datetime
    renewed_at: datetime
    ttl_s: float
    released: bool = False
    ousted: tuple[str, ...] = ()

    @classmethod
    def after(cls, former: Self | None, *, run_id: str, owner: Owner, ttl_s: float, now: datetime) -> Self:
        """What a run writes that takes the lease from `former` (None: there never was one)."""
        if former is None:
            return cls(run_id, 1, owner, now, now, ttl_s)
        loser = () if former.released or former.run_id == run_id else (former.run_id,)
        ousted = (*former.ousted, *loser)[-_REMEMBERED:]
        return cls(run_id, former.attempt + 1, owner, now, now, ttl_s, ousted=ousted)

    def yields_to(self, run_id: str, owner: Owner) -> bool:
        """The lease may be taken without waiting: free, the same run's, or of a run that is certainly over."""
        if self.released or self.run_id == run_id:
            return True
        earlier_run_of_the_dag = owner.is_dag and self.owner.name == owner.name
        return earlier_run_of_the_dag or (self.owner.process is not None and self.owner.process.is_gone)

    def is_at_work_here(self, now: datetime) -> bool:
        """A living process of this machine, under the same clock, renewed it less than a time-to-live ago.

        A renewal yet to come says that the clock was set back, and nothing of the process.
        """
        process = self.owner.process
        fresh = 0 <= (now - self.renewed_at).total_seconds() < self.ttl_s
        return process is not None and process.is_local and not process.is_gone and fresh

    def told(self) -> str:
        """For people: which run, whose, since when."""
        return f"run {self.run_id} of {self.owner.name} has been running since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def encoded(holding: Holding) -> Fields:
    """As the record's JSON fields."""
    process = holding.owner.process
    told: Json = None
    if process is not None:
        told = {"machine": process.machine, "pid": process.pid, "started": process.started}
    return {
        "run_id": holding.run_id,
        "attempt": holding.attempt,
        "owner": holding.owner.name,
        "process": told,
        "since": holding.since.isoformat(),
        "renewed_at": holding.renewed_at.isoformat(),
        "ttl_s": holding.ttl_s,
        "released": holding.released,
        "ousted": list(holding.ousted),
    }


def decoded(fields: Fields) -> Holding:
    """From the record's JSON fields.

    Raises:
        KeyError, TypeError, ValueError: they are not those of a lease.
    """
    ousted = fields["ousted"]
    return Holding(
        run_id=_text(fields["run_id"]),
        attempt=int(_number(fields["attempt"])),
        owner=Owner(_text(fields["owner"]), _process(fields["process"])),
        since=datetime.fromisoformat(_text(fields["since"])),
        renewed_at=datetime.fromisoformat(_text(fields["renewed_at"])),
        ttl_s=_number(fields["ttl_s"]),
        released=fields["released"] is True,
        ousted=tuple(_text(run_id) for run_id in ousted) if isinstance(ousted, list) else (),
    )


def _process(told: Json) -> Process | None:
    if not isinstance(told, dict):
        return None
    return Process(_text(told["machine"]), int(_number(told["pid"])), int(_number(told["started"])))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _number(value: Json) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
