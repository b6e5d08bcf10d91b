"""What commands are given: settings and the composition root. Tests hand in their own as click's object."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from nightjar.corpus import Corpus
from nightjar.flows.services import Progress, Services, unseen
from nightjar.settings import Settings

if TYPE_CHECKING:
    from nightjar.flows.doctor import Tool

Opener = Callable[[Corpus, Settings, Progress], Services]


def _open(corpus: Corpus, settings: Settings, progress: Progress) -> Services:
    from nightjar.wiring import open_services  # noqa: PLC0415 - seconds that wrong usage and `--help` need not wait

    return open_services(corpus, settings, progress=progress)


def _tools() -> Iterable[Tool]:
    from nightjar.adapters.parser.tools import parser_tools  # noqa: PLC0415 - as above

    return parser_tools()


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation of `nightjar`."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    opener: Opener = _open
    sleep: Callable[[float], None] = time.sleep
    tools: Callable[[], Iterable[Tool]] = _tools

    @property
    def settings(self) -> Settings:
        """From the environment.

        Raises:
            Misconfigured: a variable is wrong.
        """
        return Settings.from_environment(self.environment)

    @contextmanager
    def opened(self, corpus: Corpus | str, *, progress: Progress = unseen) -> Iterator[Services]:
        """A corpus's doors, closed at the end. What libraries print meanwhile goes to standard error.

        Standard output belongs to the command's result alone: print that after the block.
        """
        settings = self.settings
        found = settings.corpus(corpus) if isinstance(corpus, str) else corpus
        with redirect_stdout(sys.stderr):
            services = self.opener(found, settings, progress)
            try:
                yield services
            finally:
                services.close()


pass_session = click.make_pass_decorator(Session, ensure=True)
