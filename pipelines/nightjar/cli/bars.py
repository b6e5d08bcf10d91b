"""Bars on standard error, one a stage, above which log lines appear."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from nightjar.cli.logs import start_logging
from nightjar.cli.terminal import line


@dataclass(slots=True)
class _Stage:
    """One bar. Shards follow one another, each counting from zero: `before` are those that are through."""

    task: TaskID
    before: int = 0
    done: int = 0
    total: int = 0


class _Counted(MofNCompleteColumn):
    """Documents or chunks; nothing beside what is not counted."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.completed or task.total is not None else Text("")


class Bars:
    """Called with (stage, done, total) from any thread; a stage that starts again from zero adds to its bar."""

    def __init__(self, drawn: Progress) -> None:
        self._drawn = drawn
        self._stages: dict[str, _Stage] = {}
        self._lock = Lock()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Total 0: unknown."""
        with self._lock:
            stage = self._stages.get(what)
            if stage is None:
                stage = self._stages[what] = _Stage(self._drawn.add_task(line(what), total=None))
            if done < stage.done or (stage.total and total != stage.total):
                stage.before += stage.done
            stage.done, stage.total = done, total
            whole = stage.before + total if total else None
            self._drawn.update(stage.task, completed=stage.before + done, total=whole)


@contextmanager
def drawn(title: str) -> Iterator[Bars]:
    """Bars for as long as the block lasts.

    `title` moves from the start, because opening doors and loading a model take seconds and have no bar.
    """
    console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<8}", markup=False),
        BarColumn(),
        _Counted(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, redirect_stdout=False) as progress:
        start_logging(console=console)
        whole = progress.add_task(line(title), total=None)
        yield Bars(progress)
        progress.remove_task(whole)
