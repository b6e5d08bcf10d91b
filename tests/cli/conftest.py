from __future__ import annotations

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
