"""A parser of plain lines: `# ` opens a section, every other paragraph is narrative text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nightjar.errors import BadDocument, Code
from nightjar.model import Document, Element, ParsedDocument


class MemoryParser:
    """Reads UTF-8; `parsed` records the keys it was given, in order; bytes that begin with %BAD are corrupt."""

    def __init__(self, *, version: str = "1") -> None:
        self.parsed: list[str] = []
        self._version = version

    @property
    def recipe(self) -> Mapping[str, str]:
        """Its version alone."""
        return {"parser": "memory", "version": self._version}

    def start(self) -> None:
        """Nothing has to be started."""

    def sniff(self, documents: Sequence[Document]) -> list[str | BadDocument]:
        """Everything is text."""
        return ["text/plain" for _ in documents]

    def parse(
        self, documents: Iterable[tuple[Document, str]]
    ) -> Iterator[tuple[Document, ParsedDocument | BadDocument]]:
        """In the order given."""
        for document, media_type in documents:
            self.parsed.append(document.key)
            yield document, _read(document, media_type)

    def close(self) -> None:
        """There are no children."""


def _read(document: Document, media_type: str) -> ParsedDocument | BadDocument:
    text = document.path.read_bytes().decode("utf-8", "replace")
    if text.startswith("%BAD"):
        return BadDocument(document.document_id, Code.CORRUPT, "the file is damaged")
    if not text.strip():
        return BadDocument(document.document_id, Code.EMPTY, "the file holds only white space")
    elements = tuple(_element(paragraph) for paragraph in text.split("\n\n") if paragraph.strip())
    title = next((e.text for e in elements if e.kind == "Title"), "")
    return ParsedDocument(media_type, "utf-8", title, "eng", elements)


def _element(paragraph: str) -> Element:
    text = paragraph.strip()
    return (
        Element("Title", text.removeprefix("# "), depth=0) if text.startswith("# ") else Element("NarrativeText", text)
    )
