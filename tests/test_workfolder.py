"""A process's folder is its own while it lives; what a killed one left goes with the next that is made."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from nightjar.workfolder import WorkFolder

_HOLDS = """
import sys
from pathlib import Path
from nightjar.workfolder import WorkFolder
folder = WorkFolder(Path(sys.argv[1]))
(folder.path / "secret.pdf").write_bytes(b"%PDF")
print(folder.path, flush=True)
sys.stdin.read()
"""


def _holder(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    words = [sys.executable, "-c", _HOLDS, str(parent)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_goes_with_what_is_in_it(tmp_path: Path) -> None:
    with WorkFolder(tmp_path / "work") as folder:
        (folder.path / "deep").mkdir()
        (folder.path / "deep" / "file").write_bytes(b"bytes")
        assert folder.path.parent == tmp_path / "work"
    folder.remove()
    assert list((tmp_path / "work").iterdir()) == []


def test_what_a_killed_process_left_goes_and_a_living_ones_stays(tmp_path: Path) -> None:
    killed, left = _holder(tmp_path)
    living, kept = _holder(tmp_path)
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
        assert left.exists()
        with WorkFolder(tmp_path) as folder:
            assert set(tmp_path.iterdir()) == {kept, folder.path}
            assert (kept / "secret.pdf").read_bytes() == b"%PDF"
    finally:
        for process in (killed, living):
            process.kill()
            process.communicate()


def test_one_process_has_several_side_by_side(tmp_path: Path) -> None:
    with WorkFolder(tmp_path) as first, WorkFolder(tmp_path) as second:
        assert first.path != second.path
        assert first.path.is_dir()
        assert second.path.is_dir()


def test_nothing_but_work_folders_is_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_bytes(b"bytes")
    work = tmp_path / "work"
    (work / "cache").mkdir(parents=True)
    (work / "parse-link").symlink_to(elsewhere)
    with WorkFolder(work):
        assert (work / "cache").is_dir()
    assert (elsewhere / "file").read_bytes() == b"bytes"
