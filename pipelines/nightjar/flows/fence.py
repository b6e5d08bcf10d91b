"""Holding a corpus: the lease is renewed, and nothing is written to its state by a run that has lost it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa

from nightjar.artifacts import MANIFESTS_PREFIX
from nightjar.errors import Misconfigured
from nightjar.flows.services import Services
from nightjar.lease import Lease
from nightjar.owner import Owner
from nightjar.ports import StateStore, Stored

REQUEST_S: Final = 15.0
"""What one request to the index may take: the lease must outlive it, so that a run that lost it writes nothing more."""
_KEPT_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FencedState:
    """A state store that looks whose the lease is before each change, as `Lease.assure` does.

    A run that stalled and wakes up when others have gone on changes nothing of theirs, and brings back nothing that
    they erased. Every change raises Superseded once the lease is lost.

    The steps of a run ask for the same two manifests again and again: their buckets are read once, up to so many bytes.
    """

    state: StateStore
    lease: Lease
    buckets: dict[str, Stored] = field(default_factory=dict, compare=False, repr=False)

    def read(self, key: str) -> Stored | None:
        """As the store does; what lies below a content-addressed key perhaps from memory."""
        if key in self.buckets:
            return self.buckets[key]
        stored = self.state.read(key)
        if stored and key.startswith(MANIFESTS_PREFIX):
            kept = sum(len(each.data) for each in tuple(self.buckets.values()))  # others add to them meanwhile
            if kept + len(stored.data) <= _KEPT_BYTES:
                self.buckets[key] = stored
        return stored

    def write(self, key: str, data: bytes) -> None:
        """Superseded where the lease is lost."""
        self.lease.assure(0.0)
        self.buckets.pop(key, None)  # it was damaged
        self.state.write(key, data)

    def create(self, key: str, data: bytes) -> str | None:
        """Superseded where the lease is lost."""
        self.lease.assure(0.0)
        return self.state.create(key, data)

    def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
        """Superseded where the lease is lost."""
        self.lease.assure(0.0)
        return self.state.replace(key, data, etag=etag)

    def keys(self, prefix: str) -> Iterator[str]:
        """As the store does."""
        return self.state.keys(prefix)

    def listing(self, prefix: str) -> Iterator[pa.Table]:
        """As the store does."""
        return self.state.listing(prefix)

    def exists(self, key: str) -> bool:
        """As the store does."""
        return self.state.exists(key)

    def delete(self, keys: Iterable[str]) -> None:
        """Superseded where the lease is lost."""
        self.lease.assure(0.0)
        self.buckets.clear()
        self.state.delete(keys)

    def probe(self) -> None:
        """As the store does."""
        self.state.probe()


@contextmanager
def beating(services: Services, lease: Lease) -> Iterator[Services]:
    """The doors while the block lasts, the lease renewed.

    What a run finds wrong because others went on is no reason to mend anything.

    Raises:
        Superseded: the lease is lost, also where the block failed for want of what others took away.
    """
    with lease.beating():
        try:
            yield replace(services, state=FencedState(services.state, lease))
        except Misconfigured:
            lease.verify()
            raise


@contextmanager
def releasing(services: Services, lease: Lease) -> Iterator[Services]:
    """As `beating`; then the next run may begin, however this one ends."""
    try:
        with beating(services, lease) as doors:
            yield doors
    finally:
        lease.release()


@contextmanager
def holding(services: Services, *, run_id: str, owner: Owner) -> Iterator[tuple[Services, Lease]]:
    """Take the lease, and let the next run begin when the block is over; the doors under it, and the lease.

    Raises:
        HeldBack: another run is at work.
        Superseded: as `beating` says.
    """
    lease = Lease.acquire(services.state, run_id=run_id, owner=owner, ttl_s=services.lease_ttl_s)
    with releasing(services, lease) as doors:
        yield doors, lease
