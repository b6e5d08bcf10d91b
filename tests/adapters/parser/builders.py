"""Builders for the parser's tests: a parser with short limits, documents on disk, what became of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from nightjar.adapters.parser import UnstructuredParser
from nightjar.errors import BadDocument
from nightjar.model import Document, Fingerprint, ParsedDocument, document_id_of

Reading = ParsedDocument | BadDocument


def a_parser(folder: Path, *, timeout_s: float = 60, workers: int = 2, strategy: str = "auto") -> UnstructuredParser:
    return UnstructuredParser(
        strategy=strategy,
        languages=["eng"],
        timeout=timedelta(seconds=timeout_s),
        memory_bytes=2 << 30,
        workers=workers,
        work_folder=folder,
    )


def a_document(path: Path, *, key: str = "", declared_type: str = "", declared_charset: str = "") -> Document:
    key = key or path.name
    fingerprint = Fingerprint("", path.stat().st_size, 0)
    uri = f"s3://test/{key}"
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Document(document_id_of(uri), uri, key, path, "", fingerprint, now, declared_type, declared_charset)


def read_all(parser: UnstructuredParser, documents: list[Document]) -> dict[str, Reading]:
    """What became of each document, by key."""
    sniffed = parser.sniff(documents)
    readings: dict[str, Reading] = {
        document.key: kind for document, kind in zip(documents, sniffed, strict=True) if isinstance(kind, BadDocument)
    }
    typed = [(d, kind) for d, kind in zip(documents, sniffed, strict=True) if isinstance(kind, str)]
    readings.update((document.key, reading) for document, reading in parser.parse(typed))
    return readings
