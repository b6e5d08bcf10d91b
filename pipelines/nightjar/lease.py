"""One run per corpus: a lease in the state store that a run holds, whichever of its processes is at work.

Its record moves with every renewal, so whoever wants it watches the nonce on a clock of their own: one that stood still
for the whole time-to-live belongs to a run that is no more. No two machines' clocks are compared. A run that was ousted
never gets the lease back; one that released it (to wait for a person, say) may take it again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Event, Thread
from typing import Final, Self

from nightjar.clock import SYSTEM_CLOCK, Clock
from nightjar.errors import HeldBack, Misconfigured, Superseded, Transient
from nightjar.holding import Holding, decoded, encoded
from nightjar.owner import Owner
from nightjar.ports import StateStore
from nightjar.registers import Entry, Moved, Register

log = logging.getLogger(__name__)

KEY: Final = "lease.json"
TTL_S: Final = 60.0
_BEATS_PER_TTL: Final = 4  # three renewals may fail before anybody may take over
_LOOKS_PER_TTL: Final = 20
_FRESH_S: Final = 1.0  # an earlier run of the same DAG is overtaken at once: one that had stalled must look first
_RELEASES: Final = 5  # each lost to a renewal by another task of this run


class Lease:
    """The right of one run to change one corpus, as seen by one process; get one by `acquire` or `attach`."""

    def __init__(self, register: Register[Holding], entry: Entry[Holding], *, clock: Clock, valid_until: float) -> None:
        self._register = register
        self._clock = clock
        self._run_id = entry.value.run_id
        self._attempt = entry.value.attempt
        self._ttl_s = entry.value.ttl_s
        self._valid_until = valid_until
        self._read_at = clock.ticks()
        self._lost: Superseded | Misconfigured | None = None

    @classmethod
    def acquire(
        cls, state: StateStore, *, run_id: str, owner: Owner, ttl_s: float = TTL_S, clock: Clock = SYSTEM_CLOCK
    ) -> Self:
        """Take the lease for a run that begins, or that goes on after it had released it.

        At once where nobody holds it, the holder is this very run or an earlier one of the same DAG, or the holder's
        process ran on this machine and is gone; else after watching for up to the holder's time-to-live.

        Raises:
            HeldBack: another run is at work; the message says which, whose and since when.
            Superseded: this run was ousted earlier.
        """
        register = _register(state)
        seen = register.read()
        if seen is not None and run_id in seen.value.ousted:
            raise Superseded(_over(run_id, seen.value))
        if seen is not None and not seen.value.yields_to(run_id, owner):
            seen = _watched(register, seen, clock)
        before = clock.ticks()
        wanted = Holding.after(seen.value if seen else None, run_id=run_id, owner=owner, ttl_s=ttl_s, now=clock.now())
        try:
            entry = register.swap(seen, wanted)
        except Moved as error:
            raise HeldBack(_held(register.read())) from error
        return cls(register, entry, clock=clock, valid_until=before + ttl_s)

    @classmethod
    def attach(cls, state: StateStore, *, run_id: str, clock: Clock = SYSTEM_CLOCK) -> Self:
        """Join the lease that another process of this run has acquired, and renew it.

        Raises:
            Superseded: the lease is no longer, or not yet, this run's.
        """
        register = _register(state)
        entry = register.read()
        if entry is None or entry.value.run_id != run_id or entry.value.released:
            raise Superseded(_over(run_id, entry.value if entry else None))
        lease = cls(register, entry, clock=clock, valid_until=clock.ticks())
        lease.renew()
        return lease

    @property
    def run_id(self) -> str:
        """Whose lease it is."""
        return self._run_id

    @property
    def attempt(self) -> int:
        """Grows with every acquisition of this corpus's lease, by whichever run: a fencing number."""
        return self._attempt

    def verify(self) -> None:
        """Read the record: it is still this run's.

        Raises:
            Superseded: this run is over.
        """
        if self._lost is not None:
            raise self._lost
        self._mine()

    def renew(self) -> None:
        """Move the record, so that nobody may take over for another time-to-live.

        Raises:
            Superseded: this run is over.
        """
        before = self._clock.ticks()
        seen = self._mine()
        try:
            self._register.swap(seen, replace(seen.value, renewed_at=self._clock.now()))
        except Moved:
            self._mine()  # moved by another task of this run after `before`: as good as ours
        self._valid_until = before + self._ttl_s

    def outlives(self, seconds: float) -> bool:
        """Nobody can have taken over before `seconds` from now, even if no renewal succeeds until then."""
        return self._lost is None and self._clock.ticks() + seconds < self._valid_until

    def assure(self, seconds: float) -> None:
        """Before a request that may last `seconds`: look whose lease it is, renew where it would not outlive that.

        Raises:
            Superseded: this run is over.
            Transient: the renewal itself took too long.
        """
        if self.outlives(seconds):
            if self._clock.ticks() - self._read_at > _FRESH_S:
                self._mine()
            return
        self.renew()
        if not self.outlives(seconds):
            raise Transient(f"the lease of run {self._run_id} could not be renewed for {seconds:.0f} s: try again")

    def release(self) -> None:
        """Let the next run begin at once; no error when the lease is lost already."""
        self._valid_until = self._clock.ticks()
        for _ in range(_RELEASES):
            seen = self._register.read()
            if seen is None or not self._holds(seen.value):
                return
            with suppress(Moved):
                self._register.swap(seen, replace(seen.value, renewed_at=self._clock.now(), released=True))
                return

    @contextmanager
    def beating(self) -> Iterator[Self]:
        """Renew from a thread of its own for as long as the block lasts; does not release.

        A loss shows in `verify`, `assure` and `outlives`; the thread itself interrupts nothing.
        """
        stop = Event()
        heart = Thread(target=self._beat, args=(stop,), name=f"lease of {self._run_id}", daemon=True)
        heart.start()
        try:
            yield self
        finally:
            stop.set()
            heart.join()

    def _beat(self, stop: Event) -> None:
        while not stop.wait(self._ttl_s / _BEATS_PER_TTL):
            try:
                self.renew()
            except Transient as error:
                log.warning("lease not renewed run_id=%s reason=%s", self._run_id, error)
            except (Superseded, Misconfigured) as error:
                self._lost = error
                return

    def _mine(self) -> Entry[Holding]:
        before = self._clock.ticks()
        seen = self._register.read()
        if seen is None or not self._holds(seen.value):
            self._lost = Superseded(_over(self._run_id, seen.value if seen else None))
            raise self._lost
        self._read_at = before
        return seen

    def _holds(self, holding: Holding) -> bool:
        return (holding.run_id, holding.attempt) == (self._run_id, self._attempt) and not holding.released


def standing(state: StateStore) -> Holding | None:
    """Who holds the corpus now, None where nobody does; a holder that died unnoticed still shows."""
    entry = _register(state).read()
    return None if entry is None or entry.value.released else entry.value


def _register(state: StateStore) -> Register[Holding]:
    return Register(state, KEY, encoded, decoded)


def _watched(register: Register[Holding], seen: Entry[Holding], clock: Clock) -> Entry[Holding] | None:
    """What to swap from, once nobody defends it any more."""
    until = clock.ticks() + seen.value.ttl_s  # from after our read; the holder counts from before its write
    if seen.value.is_at_work_here(clock.now()):
        raise HeldBack(_held(seen))
    while clock.ticks() < until:
        clock.sleep(seen.value.ttl_s / _LOOKS_PER_TTL)
        now = register.read()
        if now is None or now.value.released:
            return now
        if now.nonce != seen.nonce:
            raise HeldBack(_held(now))
    return seen


def _held(entry: Entry[Holding] | None) -> str:
    if entry is None:
        return "another run took the lease at the same moment: try again"
    return f"{entry.value.told()}: try again when it is over"


def _over(run_id: str, holding: Holding | None) -> str:
    now = f"; {holding.told()}" if holding is not None and holding.run_id != run_id else ""
    return f"run {run_id} no longer holds the corpus, so it is over: trigger a new one{now}"
