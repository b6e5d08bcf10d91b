"""A state store in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock

from nightjar.model import sha256
from nightjar.ports import Stored


class MemoryState:
    """Like S3: an etag is a function of the content, so equal content repeats its etag."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self._lock = Lock()

    def read(self, key: str) -> Stored | None:
        """None when absent."""
        data = self.objects.get(key)
        return None if data is None else Stored(data, sha256(data))

    def write(self, key: str, data: bytes) -> None:
        """Unconditional."""
        with self._lock:
            self.objects[key] = data

    def create(self, key: str, data: bytes) -> bool:
        """True when nothing stood under the key before."""
        with self._lock:
            if key in self.objects:
                return False
            self.objects[key] = data
            return True

    def replace(self, key: str, data: bytes, *, etag: str) -> bool:
        """True when what `etag` names stood there until now."""
        with self._lock:
            standing = self.objects.get(key)
            if standing is None or sha256(standing) != etag:
                return False
            self.objects[key] = data
            return True

    def keys(self, prefix: str) -> Iterator[str]:
        """In key order."""
        with self._lock:
            found = sorted(key for key in self.objects if key.startswith(prefix))
        yield from found

    def exists(self, key: str) -> bool:
        """True when the key is there."""
        return key in self.objects

    def delete(self, keys: Iterable[str]) -> None:
        """Absent keys are no error."""
        for key in keys:
            self.objects.pop(key, None)

    def probe(self) -> None:
        """A dictionary under a lock honours its conditions."""
