"""The Parser port: one zygote, started when first needed, and the packets that go to it and come back.

This process never opens a document with a library: it sends paths, and reads back JSON of bounded size.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from nightjar.adapters.parser.jobs import PACKET_BYTES, RESULT_BYTES, RESULT_NAME, SNIFF_BATCH, Job, Outcome, Paper, suffix_of
from nightjar.adapters.parser.media_types import is_risky
from nightjar.adapters.parser.tools import parse_recipe
from nightjar.errors import BadDocument, Code, Misconfigured, Transient
from nightjar.model import Document, Element, ParsedDocument

log = logging.getLogger(__name__)

_STRATEGIES: Final = ("auto", "fast", "hi_res", "ocr_only")
_JOBS_A_WORKER: Final = 4  # handed over ahead of need, so that a child never waits for this process
_START_TIMEOUT_S: Final = 120.0
_Order = tuple[Sequence[Document], Job]
_QUIET: Final = {
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "true",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "PYTHONHASHSEED": "0",
}


class UnstructuredParser:
    """Reads up to `workers` documents at a time in child processes; to be used from one thread.

    Args:
        strategy: `auto` (a PDF's text layer, OCR for pages without one), or unstructured's `fast`, `hi_res`, `ocr_only`.
        languages: ISO 639-3 codes that OCR should expect.
        timeout: wall clock for one document.
        memory_bytes: for one document, counting the programs that read it.
        workers: children at the same time.
        work_folder: where each document gets a folder of its own, removed after.

    Raises:
        Misconfigured: a strategy that does not exist, no language, or limits that let nothing through.
    """

    def __init__(
        self,
        *,
        strategy: str,
        languages: Sequence[str],
        timeout: timedelta,
        memory_bytes: int,
        workers: int,
        work_folder: Path,
    ) -> None:
        if strategy not in _STRATEGIES:
            raise Misconfigured(f"parse.strategy is {strategy!r}: choose one of {', '.join(_STRATEGIES)}.")
        if not languages or timeout <= timedelta(0) or workers < 1:
            raise Misconfigured("parse needs at least one language, one worker and a timeout above zero.")
        if memory_bytes < 512 << 20:
            raise Misconfigured("parse.memory must be at least 512MiB: the parser's libraries alone take half of that.")
        self._strategy = strategy
        self._languages = tuple(languages)
        self._timeout_s = timeout.total_seconds()
        self._memory_bytes = memory_bytes
        self._workers = workers
        self._work_folder = work_folder
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._folder: Path | None = None
        self._last_number = 0
        self._outcomes: dict[int, Outcome] = {}

    @property
    def recipe(self) -> Mapping[str, str]:
        """What shapes the result; read from package metadata, so it costs milliseconds and loads nothing."""
        return parse_recipe(strategy=self._strategy, languages=self._languages)

    def sniff(self, documents: Sequence[Document]) -> list[str | BadDocument]:
        """Media type by content, in order; a failure instead where the type itself is already the verdict."""
        batches = [documents[start : start + SNIFF_BATCH] for start in range(0, len(documents), SNIFF_BATCH)]
        orders = ((batch, self._order("sniff", [_paper(document) for document in batch], alone=False)) for batch in batches)
        found: dict[int, list[str | BadDocument]] = {}
        for batch, job, outcome in self._perform(orders):
            found[job.number] = self._sniffed(batch, job, outcome)
        return [answer for number in sorted(found) for answer in found[number]]

    def _sniffed(self, batch: Sequence[Document], job: Job, outcome: Outcome) -> list[str | BadDocument]:
        try:
            answers = self._result(job, outcome)
        except _Failed as failure:
            if len(batch) == 1:
                return [failure.of(batch[0])]
            return [answer for document in batch for answer in self._sniff_alone(document)]
        return [
            BadDocument(document.document_id, Code(code), reason) if code else media_type
            for document, (media_type, code, reason) in zip(batch, answers, strict=True)
        ]

    def _sniff_alone(self, document: Document) -> list[str | BadDocument]:
        order = ([document], self._order("sniff", [_paper(document)], alone=True))
        return [answer for batch, job, outcome in self._perform(iter([order])) for answer in self._sniffed(batch, job, outcome)]

    def parse(self, documents: Iterable[tuple[Document, str]]) -> Iterator[tuple[Document, ParsedDocument | BadDocument]]:
        """Each (document, media type) once, as it finishes, in no promised order; the iterable is read lazily."""
        orders = (([document], self._parse_order(document, media_type)) for document, media_type in documents)
        for (document,), job, outcome in self._perform(orders):
            try:
                yield document, _parsed(self._result(job, outcome))
            except _Failed as failure:
                yield document, failure.of(document)

    def _parse_order(self, document: Document, media_type: str) -> Job:
        alone = is_risky(media_type, size=document.fingerprint.size)
        return self._order("parse", [_paper(document, media_type)], alone=alone)

    def _order(self, task: str, papers: Sequence[Paper], *, alone: bool) -> Job:
        self._last_number += 1
        folder = str(self._home() / str(self._last_number))
        return Job(self._last_number, task, tuple(papers), folder, self._timeout_s, alone)

    def _perform(self, orders: Iterator[_Order]) -> Iterator[tuple[Sequence[Document], Job, Outcome]]:
        """Keeps the zygote supplied and yields what is done; what nobody waited for to the end is forgotten."""
        under_way: dict[int, _Order] = {}
        exhausted = False
        while under_way or not exhausted:
            while not exhausted and len(under_way) < self._workers * _JOBS_A_WORKER:
                order = next(orders, None)
                exhausted = order is None
                if order is not None:
                    under_way[order[1].number] = order
                    self._send(order[1])
            if under_way:
                number = self._next_done(under_way)
                subject, job = under_way.pop(number)
                yield subject, job, self._outcomes.pop(number)
                shutil.rmtree(job.folder, ignore_errors=True)

    def _send(self, job: Job) -> None:
        try:
            self._connection().send(job.encode())
        except OSError as gone:
            raise self._zygote_died() from gone

    def _next_done(self, under_way: Mapping[int, object]) -> int:
        while True:
            for number in self._outcomes:
                if number in under_way:
                    return number
            try:
                packet = self._connection().recv(PACKET_BYTES)
            except OSError as broken:
                raise self._zygote_died() from broken
            if not packet:
                raise self._zygote_died()
            outcome = Outcome.decode(packet)
            self._outcomes[outcome.number] = outcome

    def _zygote_died(self) -> Transient:
        self.close()
        return Transient("The parser's process ended unexpectedly (killed, or out of memory): the documents it held are tried again.")

    def _result(self, job: Job, outcome: Outcome) -> Any:
        if outcome.code:
            raise _Failed(Code(outcome.code), outcome.reason)
        try:
            return json.loads(_bounded_bytes(Path(job.folder) / RESULT_NAME))
        except (OSError, ValueError, RecursionError) as broken:
            raise _Failed(Code.CORRUPT, "The parser's result could not be read.") from broken

    def _home(self) -> Path:
        if self._folder is None:
            self._work_folder.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="parse-", dir=self._work_folder)).resolve()
        return self._folder

    def _connection(self) -> socket.socket:
        if self._control is None:
            self._control = self._start()
        return self._control

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = [theirs.fileno(), self._workers, self._memory_bytes, self._strategy, ",".join(self._languages)]
        command = [sys.executable, "-m", "nightjar.adapters.parser.zygote", *map(str, arguments)]
        self._zygote = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; the zygote ends when the socket closes
            env={**os.environ, **_QUIET},
        )
        theirs.close()
        ours.settimeout(_START_TIMEOUT_S)
        try:
            isolation = ours.recv(PACKET_BYTES).decode()
        except OSError:
            isolation = ""
        if not isolation:
            ours.close()
            self.close()
            raise Misconfigured("The parser could not start: install nightjar[parse], and run `nightjar doctor`.")
        ours.settimeout(None)
        log.info("parser started: network isolation %s, sentence model %s", isolation, self.recipe["sentences"])
        return ours

    def close(self) -> None:
        """Ends every child process and removes what is left of their folders; a later call starts anew."""
        if self._control is not None:
            self._control.close()
        if self._zygote is not None:
            self._zygote.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._zygote.wait(timeout=10)
            self._zygote.kill()
            self._zygote.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._control, self._zygote, self._folder = None, None, None
        self._outcomes.clear()


class _Failed(Exception):  # noqa: N818 - a verdict that waits for its document's id
    """A job without a result."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self._code, self._reason = code, reason

    def of(self, document: Document) -> BadDocument:
        """The verdict with the document's name on it."""
        return BadDocument(document.document_id, self._code, self._reason)


def _paper(document: Document, media_type: str = "") -> Paper:
    return Paper(
        path=str(document.path.resolve()),
        suffix=suffix_of(document.key),
        declared_type=document.declared_type[:200],
        declared_charset=document.declared_charset[:40],
        media_type=media_type,
    )


def _bounded_bytes(path: Path) -> bytes:
    """A regular file's bytes: no link is followed and no pipe waited for, whatever the child left there.

    Raises:
        OSError: absent, not a plain file, or larger than a result may be.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > RESULT_BYTES:
            raise OSError("not a result")
        return file.read(RESULT_BYTES)


def _parsed(fields: Any) -> ParsedDocument:
    try:
        elements = tuple(Element(*element) for element in fields["elements"])
        described = (str(fields[name]) for name in ("media_type", "charset", "title", "language"))
        return ParsedDocument(*described, elements=elements, notes=tuple(map(str, fields["notes"])))
    except (KeyError, TypeError, ValueError) as broken:
        raise _Failed(Code.CORRUPT, "The parser's result could not be read.") from broken
