"""What a forked child does: take a job, do it in the job's folder, write the result there, say how it went."""

from __future__ import annotations

import importlib
import json
import socket
from pathlib import Path
from typing import Any, Final

from nightjar.adapters.parser import sandbox, sentences
from nightjar.adapters.parser.codes import verdict_of_exception
from nightjar.adapters.parser.jobs import PACKET_BYTES, RESULT_BYTES, RESULT_NAME, Job, Outcome, Paper, Refused
from nightjar.errors import Code

_PRELOADED: Final = (
    "charset_normalizer",
    "html5lib.treebuilders.etree_lxml",
    "magic",
    "msoffcrypto",
    "olefile",
    "openpyxl",
    "pypandoc",
    "pypdfium2",
    "xlrd",
    "unstructured.partition.docx",
    "unstructured.partition.html",
    "unstructured.partition.pptx",
    "unstructured.partition.text",
    "oxmsg",
)
_read_settings: dict[str, Any] = {}


def preload(*, strategy: str, languages: tuple[str, ...]) -> None:
    """In the zygote, once: everything that every child needs, so that a fork finds it warm."""
    sentences.install()
    for name in _PRELOADED:
        try:
            importlib.import_module(name)
        except (ImportError, OSError):  # a missing one fails only the documents that need it
            continue
    from nightjar.adapters.parser import language, readers, sniffing  # noqa: PLC0415 - after the sentence rules are in place

    language.warm()
    _read_settings.update(strategy=strategy, languages=languages, readers=readers, sniffing=sniffing)


def serve(channel: socket.socket) -> None:
    """One job after the other until the zygote closes the channel."""
    import resource  # noqa: PLC0415 - the limit is set by now

    memory_bytes = resource.getrlimit(resource.RLIMIT_DATA)[0]
    while packet := channel.recv(PACKET_BYTES):
        job = Job.decode(packet)
        channel.send(_outcome(job, memory_bytes=memory_bytes).encode())


def _outcome(job: Job, *, memory_bytes: int) -> Outcome:
    try:
        folder = Path(job.folder)
        sandbox.grant_cpu(job.timeout_s)
        sandbox.enter(folder / ("alone" if job.alone else "shared"))
        _write(folder / RESULT_NAME, _sniffed(job) if job.task == "sniff" else _parsed(job))
    except Exception as exc:  # noqa: BLE001 - whatever a hostile file raises in a vendor's depths becomes a verdict on it
        verdict = verdict_of_exception(exc, memory_bytes=memory_bytes)
        return Outcome(job.number, verdict.code, verdict.reason)
    return Outcome(job.number)


def _parsed(job: Job) -> dict[str, Any]:
    (paper,) = job.papers
    parsed = _read_settings["readers"].read(
        paper, strategy=_read_settings["strategy"], languages=_read_settings["languages"]
    )
    elements = [[each.kind, each.text, each.page, each.depth, each.table_html] for each in parsed.elements]
    return {
        "media_type": parsed.media_type,
        "charset": parsed.charset,
        "title": parsed.title,
        "language": parsed.language,
        "elements": elements,
        "notes": parsed.notes,
    }


def _sniffed(job: Job) -> list[tuple[str, str, str]]:
    return [_media_type(paper) for paper in job.papers]


def _media_type(paper: Paper) -> tuple[str, str, str]:
    try:
        return _read_settings["sniffing"].media_type_of(paper), "", ""
    except Refused as verdict:
        return "", verdict.code, verdict.reason


def _write(path: Path, result: object) -> None:
    data = json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()
    if len(data) > RESULT_BYTES:
        raise Refused(Code.TOO_LARGE, f"It holds more than {RESULT_BYTES >> 20} MiB of text.")
    path.write_bytes(data)
