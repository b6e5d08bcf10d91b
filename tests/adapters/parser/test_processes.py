"""Whoever dies, and however: nobody stays behind; and the parent stays light."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from adapters.parser.builders import a_document, a_parser

from nightjar.adapters.parser import parser_tools
from nightjar.errors import Misconfigured, Transient
from nightjar.model import Document

_PARENT = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from adapters.parser.builders import a_document, a_parser
parser = a_parser(Path({work!r}))
parser.sniff([a_document(Path({file!r}))])
heavy = [name for name in ("unstructured", "torch", "spacy", "lxml", "pypdfium2") if name in sys.modules]
print(parser._line._zygote.pid, ",".join(heavy) or "none", flush=True)
time.sleep(60)
"""


def started_parent(tmp_path: Path) -> tuple[subprocess.Popen[str], int, str]:
    file = tmp_path / "a.txt"
    file.write_bytes(b"Some words to be looked at.")
    program = _PARENT.format(path=sys.path, work=str(tmp_path / "work"), file=str(file))
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, heavy = parent.stdout.readline().split()
    return parent, int(pid), heavy


def session_of(pid: int) -> list[int]:
    """The zygote and its children, by their parents' ids."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def are_gone(pids: list[int], *, within_s: float = 15) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(is_running(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_parent(tmp_path: Path, how: signal.Signals) -> None:
    parent, zygote, _ = started_parent(tmp_path)
    pids = session_of(zygote)
    parent.send_signal(how)
    parent.wait()
    assert len(pids) > 1
    assert are_gone(pids)
    assert parent.stdout is not None
    parent.stdout.close()


@pytest.mark.parametrize(
    ("preload", "code"),
    [("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM), ("ours.close()", 0)],
    ids=["it is told to end", "the parent ends"],
)
def test_an_end_while_libraries_are_loaded_leaves_no_traceback(preload: str, code: int) -> None:
    program = (
        "import os, signal, socket, sys\n"
        "from nightjar.adapters.parser import child, zygote\n"
        "ours, theirs = socket.socketpair()\n"
        f"child.preload = lambda **_: {preload}\n"
        "sys.argv[1:] = [str(theirs.detach()), '1', '1000000000', 'auto', 'eng']\n"
        "zygote.main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (code, b"")


def test_the_parent_loads_no_parsing_library(tmp_path: Path) -> None:
    parent, _, heavy = started_parent(tmp_path)
    parent.kill()
    parent.wait()
    assert heavy == "none"
    assert parent.stdout is not None
    parent.stdout.close()


def some_words(folder: Path) -> Document:
    file = folder / "a.txt"
    file.write_bytes(b"Some words to be looked at.")
    return a_document(file)


@pytest.mark.slow
def test_a_killed_zygote_is_transient_takes_its_children_along_and_is_replaced(tmp_path: Path) -> None:
    document = some_words(tmp_path)
    with closing(a_parser(tmp_path / "work")) as parser:
        parser.sniff([document])
        zygote = parser._line._zygote
        assert zygote is not None
        pids = session_of(zygote.pid)
        os.kill(zygote.pid, signal.SIGKILL)
        with pytest.raises(Transient):
            parser.sniff([document])
        assert are_gone(pids)
        assert parser.sniff([document]) == ["text/plain"]


@pytest.mark.slow
def test_one_that_was_started_ahead_is_the_one_that_answers(tmp_path: Path) -> None:
    document = some_words(tmp_path)
    with closing(a_parser(tmp_path / "work")) as parser:
        parser.start()
        started = parser._line._zygote
        parser.start()
        assert parser.sniff([document]) == ["text/plain"]
        assert parser._line._zygote is started


def test_one_that_was_started_and_never_asked_ends_with_the_parser(tmp_path: Path) -> None:
    parser = a_parser(tmp_path / "work")
    parser.start()
    zygote = parser._line._zygote
    assert zygote is not None
    parser.close()
    assert are_gone([zygote.pid])


def test_the_recipe_names_what_shapes_a_result(tmp_path: Path) -> None:
    recipe = a_parser(tmp_path).recipe
    assert {"rules", "unstructured", "pypdfium2", "strategy", "languages", "sentences", "tools"} <= set(recipe)


def test_every_absent_tool_has_a_remedy() -> None:
    assert all(tool.remedy and tool.unlocks for tool in parser_tools())


def test_an_unknown_strategy_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="hi_res"):
        a_parser(tmp_path, strategy="best")
