"""Threads for waiting on servers: ordered results, a bounded window, the first error raised."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 16

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R], items: Iterable[T], *, window: int = 4 * THREADS, threads: int = THREADS
) -> Iterator[R]:
    """`map` on threads: results in the order of `items`, at most `window` of them under way or waiting.

    The caller's thread makes the items, the next one while work on those before is under way.
    """
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) >= window:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def windows(items: Iterable[T], *, size: int) -> Iterator[list[T]]:
    """`items` in lists of `size`; the last may be shorter."""
    window: list[T] = []
    for item in items:
        window.append(item)
        if len(window) == size:
            yield window
            window = []
    if window:
        yield window
