"""How far a command is: bars on a terminal; elsewhere log lines tell the same."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nightjar.cli.logs import start_logging
from nightjar.flows.services import Progress, unseen


@contextmanager
def watched(title: str) -> Iterator[Progress]:
    """Something to hand to `Services.progress` for as long as the block lasts, named `title` where it is drawn."""
    if not sys.stderr.isatty():
        start_logging(level=logging.INFO)
        yield unseen
        return
    from nightjar.cli.bars import drawn  # noqa: PLC0415 - nobody sees them elsewhere, and drawing takes long to import

    with drawn(title) as bars:
        yield bars
