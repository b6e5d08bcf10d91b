"""State that changes: small JSON records moved by compare-and-set, and objects that are written once.

A record carries a `sequence`, which grows by one with every move, and a fresh `nonce`. A store may answer "no" to a
write that it has done (its first reply was lost and the client asked again), so that after every "no" the record is
read back: my nonce means that I won. Without the nonce, equal content would repeat its etag and prove nothing. A "yes"
needs no second look: a store that gives two of them is refused where it shows (`StateStore.probe`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar
from uuid import uuid4

from nightjar.errors import Misconfigured, Superseded, Transient
from nightjar.ports import StateStore, Stored

T = TypeVar("T")

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Fields: TypeAlias = Mapping[str, Json]

_CONFLICTS: Final = 3


class Moved(Superseded):
    """The record is no longer what this writer saw: somebody else moved it, and nothing was written."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A record as it was read: hand it back to `swap` to move on from exactly this."""

    value: T
    sequence: int
    nonce: str
    etag: str


@dataclass(frozen=True, slots=True)
class Register(Generic[T]):
    """A mutable record at `key`; `encode` and `decode` turn its value into JSON fields and back.

    The object is one flat JSON mapping: the value's own fields, `sequence` and `nonce`. `decode` may raise KeyError,
    TypeError or ValueError for fields that it cannot take.
    """

    state: StateStore
    key: str
    encode: Callable[[T], Fields]
    decode: Callable[[Fields], T]

    def read(self) -> Entry[T] | None:
        """None when there is no record yet.

        Raises:
            Misconfigured: the object is damaged; the message names it.
        """
        stored = self.state.read(self.key)
        return None if stored is None else self._entry(stored)

    def swap(self, seen: Entry[T] | None, value: T) -> Entry[T]:
        """Move the record from what was seen (None: nothing stood there) to `value`.

        Raises:
            Moved: somebody else was first.
            Transient: the store did not answer, and does not say now that the write was done; or it said no again and
                again although nothing moved.
        """
        for _ in range(_CONFLICTS):
            nonce, sequence = uuid4().hex, 1 if seen is None else seen.sequence + 1
            data = _dumped({**self.encode(value), "sequence": sequence, "nonce": nonce})
            etag, unanswered = self._write(seen, data)
            if etag is not None:
                return Entry(value, sequence, nonce, etag)
            now = self.read()
            if now is not None and now.nonce == nonce:
                return now
            if unanswered is not None:
                raise unanswered
            if (now and now.nonce) != (seen and seen.nonce):
                raise Moved(f"{self.key} was moved by somebody else meanwhile")
            seen = now  # nothing moved: S3's 409 says just that two requests met, and a proxy may rewrite etags
        raise Transient(f"the store refuses to move {self.key}, although nobody else moved it: try again")

    def _write(self, seen: Entry[T] | None, data: bytes) -> tuple[str | None, Transient | None]:
        """The new etag, None where the store said no or nothing: then with what it failed by."""
        try:
            if seen is None:
                return self.state.create(self.key, data), None
            return self.state.replace(self.key, data, etag=seen.etag), None
        except Transient as error:
            return None, error

    def _entry(self, stored: Stored) -> Entry[T]:
        try:
            fields = _loaded(stored.data)
            return Entry(self.decode(fields), _whole(fields["sequence"]), str(fields["nonce"]), stored.etag)
        except (KeyError, TypeError, ValueError) as error:
            raise Misconfigured(
                f"the state object {self.key} is damaged ({type(error).__name__}: {error}): restore it from a backup "
                f"or an earlier version of the object"
            ) from error


def immutable_put(state: StateStore, key: str, data: bytes) -> bytes:
    """Write an object once; what stands under the key afterwards, which is the winner's where somebody was first.

    Raises:
        Transient: the store says no again and again, and nothing stands there.
    """
    for _ in range(_CONFLICTS):
        if state.create(key, data) is not None:
            return data
        if (winner := state.read(key)) is not None:
            return winner.data
    raise Transient(f"the store refuses to keep the state object {key}, although none stands there: try again")


def _loaded(data: bytes) -> dict[str, Json]:
    fields = json.loads(data)
    if not isinstance(fields, dict):
        raise TypeError("not a JSON mapping")
    return fields


def _whole(number: Json) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError("sequence is not a whole number")
    return number


def _dumped(fields: Fields) -> bytes:
    return (json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
