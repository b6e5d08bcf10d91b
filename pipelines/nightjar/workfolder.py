"""Folders for bytes in passing, locked while their process lives: what a killed one left is told by it, and removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PREFIX: Final = "parse-"


class WorkFolder:
    """A new folder below `parent`, of this process alone; whoever makes one removes those whose process is gone.

    Args:
        parent: made where it is absent. On a file system without locks nothing of others is removed.

    Attributes:
        path: the folder.
    """

    def __init__(self, parent: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        with _alone(parent):
            _remove_left(parent)
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            self._lock = _lock(self.path, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """The folder and everything in it; again is harmless."""
        shutil.rmtree(self.path, ignore_errors=True)
        _unlock(self._lock)
        self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        self.remove()


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Between making a folder and locking it nobody may take it for left."""
    lock = _lock(parent, fcntl.LOCK_EX)
    try:
        yield
    finally:
        _unlock(lock)


def _remove_left(parent: Path) -> None:
    for path in parent.glob(f"{_PREFIX}*"):
        if (lock := _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)) is not None:
            shutil.rmtree(path, ignore_errors=True)
            _unlock(lock)


def _lock(path: Path, how: int) -> int | None:
    """The descriptor that holds the folder's lock; None where another process has it, or it cannot be locked."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
