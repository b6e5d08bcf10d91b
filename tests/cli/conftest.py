from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.shell import CORPUS, Shell
from world import World


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    corpora = tmp_path / "corpora"
    corpora.mkdir()
    (corpora / "handbook.yaml").write_text(CORPUS)
    world = World(tmp_path / "work")
    world.folder.mkdir()
    world.put("2024/hr/leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    world.put("2025/ops/travel.txt", "# Travel\n\nTrains before planes, always.")
    world.put("2025/ops/broken.txt", "%BAD bytes")
    return Shell(world, corpora)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands point logging at their own standard error, which ends with them."""
    root, ours = logging.getLogger(), logging.getLogger("nightjar")
    before = list(root.handlers), root.level, ours.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level, ours.level = before
