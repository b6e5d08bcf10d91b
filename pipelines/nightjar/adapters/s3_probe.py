"""Whether a store keeps the promise that everything rests on: of several writers under one condition, one wins."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from nightjar.ports import StateStore

_WRITERS: Final = 8
_ROUNDS: Final = 4  # a gateway that checks and then writes let two or more win in six rounds of ten (measured)


def broken_promise(state: StateStore, key: str) -> str | None:
    """What the store does wrong with conditional writes, tried at `key` (free before, left behind); None if nothing."""
    return _ignored(state, key) or _not_atomic(state, key)


def _ignored(state: StateStore, key: str) -> str | None:
    if not state.create(key, b"first") or state.create(key, b"second"):
        return "ignores If-None-Match"
    first = state.read(key)
    if first is None or first.data != b"first":
        return "does not read back what was just written"
    in_turn = state.replace(key, b"third", etag=first.etag)
    out_of_turn = state.replace(key, b"fourth", etag=first.etag)
    last = state.read(key)
    honoured = in_turn is not None and out_of_turn is None and last is not None and last.data == b"third"
    return None if honoured else "ignores If-Match"


def _not_atomic(state: StateStore, key: str) -> str | None:
    with ThreadPoolExecutor(_WRITERS) as threads:
        for _ in range(_ROUNDS):
            standing = state.read(key)
            etag = standing.etag if standing else ""
            won = list(threads.map(_replacing(state, key, etag), range(_WRITERS)))
            if won.count(True) > 1:
                return f"let {won.count(True)} of {_WRITERS} simultaneous writers win under one If-Match"
    return None


def _replacing(state: StateStore, key: str, etag: str) -> Callable[[int], bool]:
    return lambda writer: state.replace(key, f"{etag} {writer}".encode(), etag=etag) is not None
