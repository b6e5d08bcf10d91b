"""A person at a prompt, for tests of commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from world import World

from nightjar.cli.main import main
from nightjar.cli.session import Session
from nightjar.corpus import Corpus
from nightjar.flows.services import Progress, Services
from nightjar.settings import Settings

CORPUS = """\
name: handbook
source: {uri: s3://documents/h/}
state: s3://state/handbook/
metadata: {fields: {team: text, year: int}, from_path: "{year}/{team}/**"}
"""


@dataclass(frozen=True)
class Tool:
    name: str
    present: bool = True
    remedy: str = "apt install it"
    unlocks: tuple[str, ...] = ("pdf",)


@dataclass
class Shell:
    """A person at a prompt, before a world in memory; `change` alters the services that a command is given."""

    world: World
    corpora: Path
    change: Callable[[Services], Services] = lambda services: services
    tools: tuple[Tool, ...] = (Tool("unstructured"), Tool("pypdfium2"), Tool("pandoc"))
    slept: list[float] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def __call__(self, *words: str) -> Result:
        session = Session(
            environment={"NIGHTJAR_CORPORA": str(self.corpora), "NIGHTJAR_WORK": str(self.world.folder)},
            opener=self._open,
            sleep=self.slept.append,
            tools=lambda: self.tools,
        )
        return CliRunner().invoke(main, list(words), obj=session, prog_name="nightjar")

    def json(self, *words: str) -> Any:
        """The one object on standard output."""
        return json.loads(self(*words, "--json").stdout)

    def run(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.json("run", "handbook")
        return found

    def _open(self, corpus: Corpus, settings: Settings, progress: Progress) -> Services:
        del settings
        self.world.nights += 1
        self.world.corpus = corpus
        services = replace(
            self.world.services(),
            lease_ttl_s=60.0,
            progress=progress,
            close=lambda: self.closed.append(corpus.name),
        )
        return self.change(services)
