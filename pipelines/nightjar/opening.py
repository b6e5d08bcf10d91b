"""Doors that take seconds to open: once, whoever asks first, and ahead of need while other work waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


def once(make: Callable[[], T]) -> Callable[[], T]:
    """What `make` returned at the first call; a second thread waits for it, and a failure is not kept."""
    lock = threading.Lock()
    made: list[T] = []

    def opened() -> T:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return opened


@contextmanager
def ahead(*doors: Callable[[], object]) -> Iterator[None]:
    """Open `doors`, made by `once`, in another thread while the block runs; the thread ends with the block.

    A door that fails is left to whoever needs it, and fails there again, with its own sentence.
    """
    thread = threading.Thread(target=_open, args=(doors,), name="opening-ahead")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _open(doors: tuple[Callable[[], object], ...]) -> None:
    for door in doors:
        try:
            door()
        except Exception:
            log.debug("a door did not open ahead of need", exc_info=True)
