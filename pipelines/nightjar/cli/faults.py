"""The one place where an error becomes a sentence on standard error and an exit code."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any, Final

import click

from nightjar.errors import HeldBack, Misconfigured, NightjarError, Superseded, bounded

DONE: Final = 0
FAILED: Final = 1
MISCONFIGURED: Final = 2
HELD_BACK: Final = 3
CHANGES: Final = 4
_SIGNALLED: Final = 128  # a shell's convention: 128 and the signal's number
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """Asked to end by a signal other than Ctrl-C: unwinds alike, so that leases are released and children end."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def exit_code(error: BaseException) -> int:
    """CONTRACTS' number for an error; whatever nobody foresaw is a failure."""
    match error:
        case Misconfigured():
            return MISCONFIGURED
        case HeldBack() | Superseded():
            return HELD_BACK
        case Terminated():
            return _SIGNALLED + error.number
        case KeyboardInterrupt():
            return _SIGNALLED + signal.SIGINT
        case _:
            return FAILED


def sentence(error: BaseException) -> str:
    """One line for a person, without control characters."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; what was done is kept, and the next run resumes"
    if isinstance(error, NightjarError):
        return bounded(str(error), limit=2000)
    return bounded(f"unforeseen {type(error).__name__}: {error}; --debug shows where")


class WrongUsage(click.UsageError):
    """What click found wrong with a command's words, told as everything else is; exit code 2."""

    def show(self, file: IO[Any] | None = None) -> None:
        """One line, where click writes four."""
        found = self.format_message().rstrip(".")
        used = self.ctx.command_path if self.ctx else "nightjar"
        told = f"{found[:1].lower()}{found[1:]}; `{used} --help` shows how it is used"
        click.echo(f"nightjar: {bounded(told, limit=2000)}", file=file, err=file is None)


@contextmanager
def telling_usage() -> Iterator[None]:
    """Wrong usage that click finds within the block is a `WrongUsage`; no words at all still show the help."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        raise WrongUsage(error.format_message(), ctx=error.ctx) from error


@contextmanager
def answering(*, debug: bool) -> Iterator[None]:
    """Tell what went wrong and leave with its exit code; click's own errors (wrong usage: 2) pass.

    Args:
        debug: print the traceback before the sentence.
    """
    try:
        with telling_usage(), ending_on_signals():
            yield
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last door: whatever comes gets one sentence
        if debug:
            click.echo(traceback.format_exc(), err=True, nl=False)
        click.echo(f"nightjar: {sentence(error)}", err=True)
        raise click.exceptions.Exit(exit_code(error)) from None


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind the stack as Ctrl-C does; without this the process would drop dead with its lease."""
    before = {}
    with suppress(ValueError):  # only a main thread may; elsewhere whoever owns it decides
        before = {number: signal.signal(number, _raise) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int, _: FrameType | None) -> None:
    raise Terminated(number)
