"""The working folder's disk: downloads and parser results pass through it; no document is to blame when it is full."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nightjar.errors import Misconfigured
from nightjar.flows.services import Services

_LEAST: Final = 1_000_000_000
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def refuse_full_disk(services: Services) -> None:
    """Half a night on a full disk helps nobody, and a parser that failed on one says nothing of its document.

    Raises:
        Misconfigured: less than 1 GB is free.
    """
    services.work_folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(services.work_folder).free
    if free < _LEAST:
        raise Misconfigured(_told(services, f"has {free / 1e9:.1f} GB free, {_LEAST / 1e9:.1f} GB are needed"))


@contextmanager
def full_disk_told(services: Services) -> Iterator[None]:
    """What is written inside may meet a disk that has filled up since the run began.

    Raises:
        Misconfigured: it did.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise Misconfigured(_told(services, "is full")) from error


def _told(services: Services, what: str) -> str:
    return f"{services.work_folder} {what}: make room, or set NIGHTJAR_WORK to a folder on a larger disk"
