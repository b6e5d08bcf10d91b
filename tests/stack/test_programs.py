"""Programs that Go builds: what Go writes by itself stays below `.nightjar`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.stack.place import Place
from tools.stack.programs import _go_environment


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed: it builds servers that are not released")
def test_go_leaves_the_home_directory_alone_and_keeps_a_persons_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, local, module = (tmp_path / name for name in ("home", ".nightjar", "module"))
    (home / ".config" / "go").mkdir(parents=True)
    (home / ".config" / "go" / "env").write_text("GOPRIVATE=example.org\n")
    module.mkdir()
    (module / "go.mod").write_text("module nothing\n")
    for name in [name for name in os.environ if name.startswith(("GO", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    before = {str(path) for path in home.rglob("*")}
    told = subprocess.run(
        ["go", "env", "GOPRIVATE"],
        env=_go_environment(Place(tmp_path, local, 18080)),
        cwd=module,
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == "example.org"
    assert {str(path) for path in home.rglob("*")} == before
    assert (local / "go" / "config").is_dir()
