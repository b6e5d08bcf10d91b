"""A state store in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final

import pyarrow as pa

from nightjar.model import sha256
from nightjar.ports import Stored

_LISTING: Final = pa.schema([("key", pa.string()), ("size", pa.int64()), ("modified_us", pa.int64())])


class MemoryState:
    """Like S3: an etag is a function of the content, so equal content repeats its etag."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self._modified: dict[str, datetime] = {}
        self._lock = Lock()

    def age(self, by: timedelta) -> None:
        """As if all that stands had been written so much earlier."""
        self._modified = {key: moment - by for key, moment in self._modified.items()}

    def read(self, key: str) -> Stored | None:
        """None when absent."""
        data = self.objects.get(key)
        return None if data is None else Stored(data, sha256(data))

    def write(self, key: str, data: bytes) -> None:
        """Unconditional."""
        with self._lock:
            self._put(key, data)

    def create(self, key: str, data: bytes) -> str | None:
        """The new etag when nothing stood under the key before."""
        with self._lock:
            if key in self.objects:
                return None
            self._put(key, data)
            return sha256(data)

    def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
        """The new etag when what `etag` names stood there until now."""
        with self._lock:
            standing = self.objects.get(key)
            if standing is None or sha256(standing) != etag:
                return None
            self._put(key, data)
            return sha256(data)

    def keys(self, prefix: str) -> Iterator[str]:
        """In key order."""
        with self._lock:
            found = sorted(key for key in self.objects if key.startswith(prefix))
        yield from found

    def listing(self, prefix: str) -> Iterator[pa.Table]:
        """One page."""
        keys = list(self.keys(prefix))
        sizes = [len(self.objects[key]) for key in keys]
        moments = [round(self._modified.get(key, _now()).timestamp() * 1_000_000) for key in keys]
        yield pa.table([keys, sizes, moments], schema=_LISTING)

    def exists(self, key: str) -> bool:
        """True when the key is there."""
        return key in self.objects

    def delete(self, keys: Iterable[str]) -> None:
        """Absent keys are no error."""
        for key in keys:
            self.objects.pop(key, None)
            self._modified.pop(key, None)

    def probe(self) -> None:
        """A dictionary under a lock honours its conditions."""

    def _put(self, key: str, data: bytes) -> None:
        self.objects[key] = data
        self._modified[key] = _now()


def _now() -> datetime:
    return datetime.now(UTC)
