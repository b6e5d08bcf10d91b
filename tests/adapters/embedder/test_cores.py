from __future__ import annotations

import os
from pathlib import Path

import pytest

from nightjar.adapters.embedder.cores import usable_cores

ALL = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("written", "cores"),
    [("max 100000", ALL), ("100000 100000", 1), ("20000 100000", 1), ("99900000 100000", ALL), ("odd", ALL)],
)
def test_a_container_uses_what_its_quota_grants(tmp_path: Path, written: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(written)
    assert usable_cores(quota=tmp_path / "cpu.max") == cores


def test_without_a_container_every_core_is_used(tmp_path: Path) -> None:
    assert usable_cores(quota=tmp_path / "absent") == ALL
