"""Log lines on standard error: only warnings beside progress bars, all of Nightjar's where nobody sees bars."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

import click

from nightjar.cli.terminal import line

if TYPE_CHECKING:
    from rich.console import Console

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


def start_logging(*, console: Console | None = None, level: int = logging.WARNING) -> None:
    """Replace whatever handlers stand; under `--debug` everything is told, whatever `level` says.

    Args:
        console: where bars are drawn, if they are; else lines go to standard error as it is now.
        level: of Nightjar's own lines; other libraries tell errors only, their advice is not for who runs a corpus.
    """
    debug = click.get_current_context().find_root().params["debug"]
    handler = ConsoleHandler(console) if console else logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(_FORMAT, "%H:%M:%S"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING if debug else logging.ERROR, force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("nightjar").setLevel(logging.DEBUG if debug else level)
