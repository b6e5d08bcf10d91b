"""Whether a store keeps the promise that everything rests on: of several writers under one condition, one wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from nightjar.ports import StateStore, Stored

_WRITERS: Final = 8
_ROUNDS: Final = 4  # a gateway that checks and then writes let two or more win in six rounds of ten (measured)


def broken_promise(state: StateStore, key: str) -> str | None:
    """What the store does wrong with conditional writes, tried at `key` (free before, left behind); None if nothing."""
    return _ignored(state, key) or _not_atomic(state, key)


def _ignored(state: StateStore, key: str) -> str | None:
    created = state.create(key, b"first")
    if created is None or state.create(key, b"second") is not None:
        return "ignores If-None-Match"
    if state.read(key) != Stored(b"first", created):
        return "does not read back what was just written, under the etag that the writer was told"
    in_turn = state.replace(key, b"third", etag=created)
    out_of_turn = state.replace(key, b"fourth", etag=created)
    honoured = in_turn is not None and out_of_turn is None and state.read(key) == Stored(b"third", in_turn)
    return None if honoured else "ignores If-Match"


def _not_atomic(state: StateStore, key: str) -> str | None:
    with ThreadPoolExecutor(_WRITERS) as threads:
        for _ in range(_ROUNDS):
            standing = state.read(key)
            etag = standing.etag if standing else ""
            won = _winners(threads.map(_replacing(state, key, etag), range(_WRITERS)))
            if won > 1:
                return f"let {won} of {_WRITERS} simultaneous writers win under one If-Match"
            state.delete([key])
            won = _winners(threads.map(_creating(state, key), range(_WRITERS)))
            if won > 1:
                return f"let {won} of {_WRITERS} simultaneous writers win under If-None-Match"
    return None


def _winners(etags: Iterable[str | None]) -> int:
    return sum(etag is not None for etag in etags)


def _replacing(state: StateStore, key: str, etag: str) -> Callable[[int], str | None]:
    return lambda writer: state.replace(key, f"{etag} {writer}".encode(), etag=etag)


def _creating(state: StateStore, key: str) -> Callable[[int], str | None]:
    return lambda writer: state.create(key, str(writer).encode())
