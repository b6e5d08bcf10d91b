"""What a child may not do: reach the network, outlive its parent, grow without end, or leave its folder behind.

All of it is Linux and standard library but for `pyseccomp`; each fence that the machine refuses is left
out, and the log says which isolation was reached.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final, NoReturn

_PR_SET_PDEATHSIG: Final = 1
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_FILE_BYTES: Final = 512 * 1024 * 1024
_OPEN_FILES: Final = 256
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_DENIED_CALLS: Final = ("connect", "sendmsg", "sendmmsg", "io_uring_setup", "ptrace")


def leave_network() -> str:
    """Cut this process and all it will fork off from every network; says how: `namespace+seccomp`, …, `none`."""
    reached = [name for name, fence in (("namespace", _unshare), ("seccomp", _filter_calls)) if fence()]
    if not reached:
        _break_sockets()
        reached = ["patched"]
    return "+".join(reached)


def _unshare() -> bool:
    """A network namespace without interfaces: as root at once, else inside a user namespace of our own."""
    return any(_LIBC.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def _filter_calls() -> bool:
    """Unix sockets with a path cross namespaces: refuse to connect at all, and to make sockets of any other family."""
    try:
        import pyseccomp as seccomp  # noqa: PLC0415 - needs libseccomp, which may be absent
    except (ImportError, OSError, RuntimeError):
        return False
    try:
        rules = seccomp.SyscallFilter(seccomp.ALLOW)
        refusal = seccomp.ERRNO(errno.EACCES)
        rules.add_rule(refusal, "socket", seccomp.Arg(0, seccomp.NE, socket.AF_UNIX))
        rules.add_rule(refusal, "sendto", seccomp.Arg(4, seccomp.NE, 0))
        for call in _DENIED_CALLS:
            rules.add_rule(refusal, call)
        rules.load()
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def _break_sockets() -> None:
    """The last resort stops Python's own clients, not a library's."""

    def refuse(*_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "the parser has no network")

    socket.socket.connect = refuse  # type: ignore[method-assign]  # that is the point
    socket.socket.connect_ex = refuse  # type: ignore[method-assign]  # that is the point


def die_with_parent() -> None:
    """The kernel kills this process when the one that forked it is gone, however it went."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def confine(*, memory_bytes: int) -> None:
    """In a child, before it sees a byte: own session, bound to its parent's life, limits on memory and files."""
    parent = os.getppid()
    die_with_parent()
    os.setsid()
    if os.getppid() != parent:  # the parent died before the kernel was told
        os._exit(1)
    for limit, value in (
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    _bind_programs()


def _bind_programs() -> None:
    """Pandoc and soffice, started through subprocess, die with the child too."""
    start: Any = subprocess.Popen.__init__

    def bound_start(self: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> None:
        start(self, *args, **{**kwargs, "preexec_fn": die_with_parent})

    subprocess.Popen.__init__ = bound_start  # type: ignore[method-assign]  # vendors start programs where we cannot ask


def grant_cpu(seconds: float) -> None:
    """Another document's share of processor time, on top of what this child has used; past it comes SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 2, hard))


def enter(folder: Path) -> None:
    """Make `folder` the working, temporary and home directory of this child and of what it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    tempfile.tempdir = str(folder)
    os.environ.update(TMPDIR=str(folder), HOME=str(folder))


def group_memory(pid: int) -> int:
    """Bytes that a process and its descendants hold for themselves (anonymous pages, shared ones once each)."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, ValueError):
        return 0
    own = (int(pages[1]) - int(pages[2])) * resource.getpagesize() if len(pages) > 2 else 0  # noqa: PLR2004 - size, resident, shared
    return own + sum(group_memory(int(child)) for child in children)
