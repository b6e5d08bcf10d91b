"""The warm process that children are forked from, and their only judge: wall clock, memory, exit status.

Started by `pool.py` with a control socket as its first argument. Single-threaded, so that forking is safe; it touches
no document. It ends, and every child's process group with it, when the control socket closes or its parent is gone.

A small document may follow another in the same child. What fails in such a child is tried again in one of its own
before it is blamed: a neighbour may have left the child in disarray.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from nightjar.adapters.parser import sandbox
from nightjar.adapters.parser.codes import verdict_of_exit
from nightjar.adapters.parser.jobs import PACKET_BYTES, Job, Outcome
from nightjar.errors import Code

_SERVED_IN_TURN: Final = 32
_TICK_S: Final = 0.1


@dataclass(slots=True, eq=False)
class _Child:
    """A forked process and the job it has in hand."""

    pid: int
    channel: socket.socket
    served: int = 0
    job: Job | None = None
    deadline: float = 0.0


class Zygote:
    """Hands jobs to at most `workers` children at a time; every job gets exactly one outcome."""

    def __init__(self, control: socket.socket, *, workers: int, memory_bytes: int) -> None:
        self._control = control
        self._workers = workers
        self._memory_bytes = memory_bytes
        self._waiting: deque[Job] = deque()
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, None)
        self._parent = os.getppid()

    def run(self) -> None:
        """Until the parent is gone."""
        try:
            while os.getppid() == self._parent and self._turn():
                pass
        finally:
            for child in list(self._children):
                self._end(child)

    def _turn(self) -> bool:
        for key, _ in self._selector.select(_TICK_S):
            if key.data is not None:
                self._hear(cast("_Child", key.data))
            elif not self._take_order():
                return False
        self._enforce()
        self._assign()
        return True

    def _take_order(self) -> bool:
        try:
            packet = self._control.recv(PACKET_BYTES)
        except ConnectionError:
            return False  # the parent ended with something unread
        if packet:
            self._waiting.append(Job.decode(packet))
        return bool(packet)

    def _assign(self) -> None:
        while self._waiting:
            child = self._child_for(self._waiting[0])
            if child is None:
                return
            job = self._waiting.popleft()
            child.job, child.deadline = job, time.monotonic() + job.timeout_s
            child.served += 1
            with suppress(OSError):  # a child that died while idle is noticed by its closed channel
                child.channel.send(job.encode())

    def _child_for(self, job: Job) -> _Child | None:
        idle = [child for child in self._children if child.job is None]
        if idle and not job.alone:
            return idle[0]
        if idle and len(self._children) >= self._workers:
            self._end(idle[0])
        return self._fork() if len(self._children) < self._workers else None

    def _fork(self) -> _Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _become_child(theirs, memory_bytes=self._memory_bytes)
        theirs.close()
        child = _Child(pid, ours)
        self._children.append(child)
        self._selector.register(ours, selectors.EVENT_READ, child)
        return child

    def _hear(self, child: _Child) -> None:
        if child not in self._children:
            return
        try:
            packet = child.channel.recv(PACKET_BYTES)
            outcome = Outcome.decode(packet) if packet else None
        except (OSError, ValueError):
            outcome = None
        if outcome is None:
            self._lose(child)
        else:
            self._settle(child, outcome)

    def _settle(self, child: _Child, outcome: Outcome) -> None:
        job, child.job = child.job, None
        if outcome.code or child.served >= _SERVED_IN_TURN or (job is not None and job.alone):
            self._end(child)
        if job is not None:
            self._answer(job, Outcome(job.number, outcome.code, outcome.reason))

    def _lose(self, child: _Child, code: Code | None = None) -> None:
        job, child.job = child.job, None
        status = self._end(child)
        if job is not None:
            named = verdict_of_exit(status, code, timeout_s=job.timeout_s, memory_bytes=self._memory_bytes)
            self._answer(job, Outcome(job.number, named.code, named.reason))

    def _answer(self, job: Job, outcome: Outcome) -> None:
        if outcome.code and not job.alone:
            self._waiting.appendleft(job.retried_alone())
        else:
            self._control.send(outcome.encode())

    def _enforce(self) -> None:
        now = time.monotonic()
        for child in [child for child in self._children if child.job is not None]:
            if now > child.deadline:
                self._lose(child, Code.TIMED_OUT)
            elif sandbox.group_memory(child.pid) > self._memory_bytes:
                self._lose(child, Code.OUT_OF_MEMORY)

    def _end(self, child: _Child) -> int:
        """Kill the child's whole session and reap it; returns its wait status (a crash of its own is kept)."""
        self._children.remove(child)
        self._selector.unregister(child.channel)
        child.channel.close()
        died, status = os.waitpid(child.pid, os.WNOHANG)
        for kill in (os.killpg, os.kill):  # the group may not exist yet, or no longer
            with suppress(ProcessLookupError, PermissionError):
                kill(child.pid, signal.SIGKILL)
        return status if died else os.waitpid(child.pid, 0)[1]


def _become_child(channel: socket.socket, *, memory_bytes: int) -> NoReturn:
    """Forget everything that is the zygote's, then serve until the channel closes."""
    from nightjar.adapters.parser import child  # noqa: PLC0415 - loaded already; a child is the only one to use it

    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(channel.fileno(), 3)
        os.closerange(4, 1024)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        sandbox.confine(memory_bytes=memory_bytes)
        child.serve(socket.socket(fileno=3))
    finally:
        os._exit(0)


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


def main() -> None:
    """`python -m nightjar.adapters.parser.zygote CONTROL_FD WORKERS MEMORY_BYTES STRATEGY LANGUAGES`."""
    control_fd, workers, memory_bytes, strategy, languages = sys.argv[1:]
    control = socket.socket(fileno=int(control_fd))
    sys.modules["torch"] = None  # type: ignore[assignment]  # spaCy would load it: seconds and 500 MB for nothing
    gc.disable()  # imports make no garbage, and looking for it takes a fifth of their time
    from nightjar.adapters.parser import child  # noqa: PLC0415 - after torch is ruled out

    child.preload(strategy=strategy, languages=tuple(languages.split(",")))
    # Not before: libraries would take the exit for an error of theirs, and tell it.
    signal.signal(signal.SIGTERM, _stop)
    with suppress(SystemExit, ConnectionError):  # `_stop`; a parent that never asked has ended
        control.send(sandbox.leave_network().encode())
        gc.collect()
        gc.freeze()
        gc.enable()
        Zygote(control, workers=int(workers), memory_bytes=int(memory_bytes)).run()
    os._exit(0)  # nothing is left to be put in order, and the parent waits while a thousand modules are taken apart


if __name__ == "__main__":
    main()
