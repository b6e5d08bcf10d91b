"""What a shard remembers of the vectors it met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from world import World

from nightjar.flows import reuse
from nightjar.flows.reuse import Reuse
from nightjar.flows.runs import Options, Run


def test_vectors_used_longest_ago_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_REMEMBERED", 2)
    services = World(tmp_path).services()
    run = Run("run", "actor", Options(full_refresh=True), services.recipe(), services.clock(), live=None)
    remembered = Reuse(services, run, 0, rows=())
    for digest in ("a", "b", "a", "c"):
        remembered.remember({digest: np.ones(2, dtype=np.float32)})
    assert remembered.find((), wanted={"a", "b", "c"}).keys() == {"a", "c"}
