"""The line to a zygote: started when first needed, kept supplied with jobs, ended with everything it forked."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from nightjar.adapters.parser.jobs import PACKET_BYTES, Job, Outcome, Paper
from nightjar.errors import Misconfigured, Transient
from nightjar.model import Document
from nightjar.workfolder import WorkFolder

log = logging.getLogger(__name__)

Order = tuple[Sequence[Document], Job]

_JOBS_A_WORKER: Final = 4  # handed over ahead of need, so that a child never waits for this process
_START_TIMEOUT_S: Final = 180.0
_END_TIMEOUT_S: Final = 10.0
_QUIET: Final = {
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "PYTHONHASHSEED": "0",
}


class ZygoteLine:
    """Orders out, outcomes in; to be used from one thread.

    Args:
        arguments: what the zygote's command line takes after the control descriptor.
        workers: how many jobs it works on at a time.
        timeout_s: wall clock for one job.
        work_folder: where each job gets a folder of its own, removed when its outcome was looked at.
    """

    def __init__(self, arguments: Sequence[str], *, workers: int, timeout_s: float, work_folder: Path) -> None:
        self._arguments = tuple(arguments)
        self._window = workers * _JOBS_A_WORKER
        self._timeout_s = timeout_s
        self._work_folder = work_folder
        self._zygote: subprocess.Popen[bytes] | None = None
        self._starting: socket.socket | None = None
        self._control: socket.socket | None = None
        self._folder: WorkFolder | None = None
        self._last_number = 0
        self._outcomes: dict[int, Outcome] = {}

    def start(self) -> None:
        """Begin to start the zygote, where none runs; the first job waits until it is ready."""
        if self._zygote is not None:
            return
        self._starting, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        module = "nightjar.adapters.parser.zygote"
        self._zygote = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", module, str(theirs.fileno()), *self._arguments],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; the zygote ends when the socket closes
            env={**os.environ, **_QUIET},
        )
        theirs.close()

    def job(self, task: str, papers: Sequence[Paper], *, alone: bool) -> Job:
        """A numbered order with a folder of its own."""
        self._last_number += 1
        folder = str(self._home() / str(self._last_number))
        return Job(self._last_number, task, tuple(papers), folder, self._timeout_s, alone)

    def perform(self, orders: Iterator[Order]) -> Iterator[tuple[Sequence[Document], Job, Outcome]]:
        """Each order with its outcome, as they finish; orders are taken only as they can be worked on.

        Raises:
            Transient: the zygote is gone; the next use starts another.
            Misconfigured: it cannot start.
        """
        under_way: dict[int, Order] = {}
        exhausted = False
        while under_way or not exhausted:
            while not exhausted and len(under_way) < self._window:
                order = next(orders, None)
                exhausted = order is None
                if order is not None:
                    under_way[order[1].number] = order
                    self._send(order[1])
            if under_way:
                outcome = self._next_done(under_way)
                documents, job = under_way.pop(outcome.number)
                yield documents, job, outcome
                shutil.rmtree(job.folder, ignore_errors=True)

    def _send(self, job: Job) -> None:
        try:
            self._connection().send(job.encode())
        except OSError as gone:
            raise self._gone() from gone

    def _next_done(self, under_way: Mapping[int, Order]) -> Outcome:
        """Outcomes of another loop over this line, suspended in the middle, wait for it here."""
        while True:
            done = next((number for number in self._outcomes if number in under_way), None)
            if done is not None:
                return self._outcomes.pop(done)
            outcome = self._receive()
            self._outcomes[outcome.number] = outcome

    def _receive(self) -> Outcome:
        try:
            packet = self._connection().recv(PACKET_BYTES)
        except OSError as gone:
            raise self._gone() from gone
        if not packet:
            raise self._gone()
        return Outcome.decode(packet)

    def _gone(self) -> Transient:
        self.close()
        return Transient(
            "The parser's process was ended from outside (memory, perhaps): its documents will be tried again."
        )

    def _home(self) -> Path:
        if self._folder is None:
            self._folder = WorkFolder(self._work_folder)
        return self._folder.path.resolve()

    def _connection(self) -> socket.socket:
        if self._control is None:
            self.start()
            self._control, self._starting = self._ready(self._starting), None
        return self._control

    def _ready(self, ours: socket.socket | None) -> socket.socket:
        isolation = ""
        if ours is not None:
            ours.settimeout(_START_TIMEOUT_S)
            with suppress(OSError):
                isolation = ours.recv(PACKET_BYTES).decode()
        if ours is None or not isolation:
            self.close()
            raise Misconfigured("The parser could not start: install nightjar[parse], then see `nightjar doctor`.")
        ours.settimeout(None)
        log.info("parser started, network isolation: %s", isolation)
        return ours

    def close(self) -> None:
        """Ends every process and removes what is left of the jobs' folders; a later use starts anew."""
        for line in (self._starting, self._control):
            if line is not None:
                line.close()
        if self._zygote is not None:
            self._zygote.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._zygote.wait(timeout=_END_TIMEOUT_S)
            self._zygote.kill()
            self._zygote.wait()
        if self._folder is not None:
            self._folder.remove()
        self._starting, self._control, self._zygote, self._folder = None, None, None, None
        self._outcomes.clear()
