"""The Parser port: documents to jobs for a zygote, results of bounded size back to values.

This process never opens a document with a library: it sends paths, and reads back JSON.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from nightjar.adapters.parser.jobs import RESULT_BYTES, RESULT_NAME, SNIFF_BATCH, Job, Outcome, Paper, suffix_of
from nightjar.adapters.parser.media_types import is_risky
from nightjar.adapters.parser.tools import parse_recipe
from nightjar.adapters.parser.zygote_line import ZygoteLine
from nightjar.errors import BadDocument, Code, Misconfigured
from nightjar.model import Document, Element, ParsedDocument

_STRATEGIES: Final = ("auto", "fast", "hi_res", "ocr_only")
_LEAST_MEMORY: Final = 512 << 20
_UNREADABLE: Final = "The parser's result could not be read."


class UnstructuredParser:
    """Reads up to `workers` documents at a time in child processes; to be used from one thread.

    Args:
        strategy: `auto` (a PDF's text layer, OCR for pages without), or unstructured's `fast`, `hi_res`, `ocr_only`.
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
        if memory_bytes < _LEAST_MEMORY:
            raise Misconfigured("parse.memory must be at least 512MiB: the parser's libraries alone take half of that.")
        self._strategy = strategy
        self._languages = tuple(languages)
        arguments = [str(workers), str(memory_bytes), strategy, ",".join(languages)]
        self._line = ZygoteLine(arguments, workers=workers, timeout_s=timeout.total_seconds(), work_folder=work_folder)

    @property
    def recipe(self) -> Mapping[str, str]:
        """What shapes the result; read from package metadata, so it costs milliseconds and loads nothing."""
        return parse_recipe(strategy=self._strategy, languages=self._languages)

    def start(self) -> None:
        """Begin to start the children's parent, so that the first document waits less for it."""
        self._line.start()

    def sniff(self, documents: Sequence[Document]) -> list[str | BadDocument]:
        """Media type by content, in order; a failure instead where the type itself is already the verdict."""
        batches = (documents[start : start + SNIFF_BATCH] for start in range(0, len(documents), SNIFF_BATCH))
        found: dict[int, list[str | BadDocument]] = {}
        for batch, job, outcome in self._line.perform((batch, self._sniff_job(batch)) for batch in batches):
            found[job.number] = self._sniffed(batch, job, outcome)
        return [answer for number in sorted(found) for answer in found[number]]

    def _sniff_job(self, batch: Sequence[Document]) -> Job:
        return self._line.job("sniff", [_paper(document) for document in batch], alone=False)

    def _sniffed(self, batch: Sequence[Document], job: Job, outcome: Outcome) -> list[str | BadDocument]:
        """A batch that fails as a whole is asked again one by one, so that only the guilty are blamed."""
        try:
            answers = _result(job, outcome)
            return [_verdict(document, *answer) for document, answer in zip(batch, answers, strict=True)]
        except _Failed as failure:
            if len(batch) == 1:
                return [failure.of(batch[0])]
        return [answer for document in batch for answer in self.sniff([document])]

    def parse(
        self, documents: Iterable[tuple[Document, str]]
    ) -> Iterator[tuple[Document, ParsedDocument | BadDocument]]:
        """Each (document, media type) once, as it finishes, in no promised order; the iterable is read lazily."""
        orders = (([document], self._parse_job(document, media_type)) for document, media_type in documents)
        for (document,), job, outcome in self._line.perform(orders):
            yield document, _parsed(document, job, outcome)

    def _parse_job(self, document: Document, media_type: str) -> Job:
        alone = is_risky(media_type, size=document.path.stat().st_size)
        return self._line.job("parse", [_paper(document, media_type)], alone=alone)

    def close(self) -> None:
        """Ends every child process; a later call starts anew."""
        self._line.close()


class _Failed(Exception):
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


def _result(job: Job, outcome: Outcome) -> Any:
    """What the child wrote, still to be judged."""
    if outcome.code:
        raise _Failed(Code(outcome.code), outcome.reason)
    try:
        return json.loads(_bounded_bytes(Path(job.folder) / RESULT_NAME))
    except (OSError, ValueError, RecursionError) as broken:
        raise _Failed(Code.CORRUPT, _UNREADABLE) from broken


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


def _verdict(document: Document, media_type: str, code: str, reason: str) -> str | BadDocument:
    return BadDocument(document.document_id, Code(code), reason) if code else media_type


def _parsed(document: Document, job: Job, outcome: Outcome) -> ParsedDocument | BadDocument:
    try:
        return _value(_result(job, outcome))
    except _Failed as failure:
        return failure.of(document)


def _value(fields: Any) -> ParsedDocument:
    try:
        elements = tuple(Element(*element) for element in fields["elements"])
        media_type, charset, title, language = (
            str(fields[name]) for name in ("media_type", "charset", "title", "language")
        )
        return ParsedDocument(media_type, charset, title, language, elements, tuple(map(str, fields["notes"])))
    except (KeyError, TypeError, ValueError) as broken:
        raise _Failed(Code.CORRUPT, _UNREADABLE) from broken
