"""Log lines on standard error: only warnings beside progress bars, all of Nightjar's where nobody sees bars."""

from __future__ import annotations

import logging
import sys
from typing import Final

import click
from rich.console import Console

from nightjar.cli.terminal import line

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


class OneLine(logging.Formatter):
    """No control character of a file's name reaches a terminal through a log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own spelling
        """As logging would write it, cleaned; tracebacks keep their lines."""
        return line(super().formatMessage(record))


class ConsoleHandler(logging.Handler):
    """Prints through rich's console, so that lines appear above moving bars instead of through them."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        """One record, wrapped by the terminal and not by us."""
        self.console.print(self.format(record), markup=False, highlight=False, soft_wrap=True)


def standard_error() -> Console:
    """Where logs and bars go; made anew so that a redirected stream is respected."""
    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


def start_logging(*, console: Console | None = None, level: int = logging.WARNING) -> None:
    """Replace whatever handlers stand; under `--debug` everything is told, whatever `level` says.

    Args:
        console: where bars are drawn, if they are.
        level: of Nightjar's own lines; other libraries tell errors only, their advice is not for who runs a corpus.
    """
    debug = click.get_current_context().find_root().params["debug"]
    handler = ConsoleHandler(console or standard_error())
    handler.setFormatter(OneLine(_FORMAT, "%H:%M:%S"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING if debug else logging.ERROR, force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("nightjar").setLevel(logging.DEBUG if debug else level)
