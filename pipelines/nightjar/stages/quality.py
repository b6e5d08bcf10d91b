"""What the suites inspect: Arrow tables of derived figures, one row a document, chunk or vector.

The tables hold counts, shares and codes, never text: rules and thresholds are data in `expectations/*.json`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from nightjar.legibility import mojibake_share, replacement_share
from nightjar.model import Chunk, ParsedDocument, Vector, Violation

DOCUMENT_ROW: Final = "document_id"
CHUNK_ROW: Final = "row"

DOCUMENTS: Final = pa.schema(
    [
        (DOCUMENT_ROW, pa.string()),
        ("media_type", pa.string()),
        ("language", pa.string()),
        ("language_allowed", pa.bool_()),
        ("text_length", pa.int64()),
        ("nul_count", pa.int64()),
        ("replacement_share", pa.float64()),
        ("mojibake_share", pa.float64()),
        ("repeated_line_share", pa.float64()),
    ]
)
CHUNKS: Final = pa.schema(
    [
        (CHUNK_ROW, pa.string()),
        ("text_length", pa.int64()),
        ("token_count", pa.int64()),
        ("truncated_tokens", pa.int64()),
        ("repeated_word_share", pa.float64()),
    ]
)
EMBEDDINGS: Final = pa.schema(
    [
        (CHUNK_ROW, pa.string()),
        ("missing_dimensions", pa.int64()),
        ("finite", pa.bool_()),
        ("zero", pa.bool_()),
        ("norm", pa.float64()),
    ]
)
_FEWEST_LINES: Final = 40
_FEWEST_WORDS: Final = 50


def document_table(documents: Iterable[tuple[str, ParsedDocument]], *, languages: tuple[str, ...] | None) -> pa.Table:
    """One row of `DOCUMENTS` for each (document id, parsed document).

    `languages` are those that the corpus welcomes, None all; a document whose language nobody could tell is welcome.
    """
    return _table([_document_row(row, document, languages) for row, document in documents], DOCUMENTS)


def chunk_table(chunks: Iterable[tuple[str, Chunk]], *, max_tokens: int) -> pa.Table:
    """One row of `CHUNKS` for each (document id, chunk); `max_tokens` is what the model reads of one text."""
    return _table([_chunk_row(owner, chunk, max_tokens) for owner, chunk in chunks], CHUNKS)


def embedding_table(rows: Sequence[str], *, vectors: Vector, dimensions: int) -> pa.Table:
    """One row of `EMBEDDINGS` for each row of `vectors`, shape (len(rows), any); `rows` are `chunk_row` names.

    The norm of a vector that is not finite is given as 0, so that no rule has to think of nulls.
    """
    finite = np.logical_and.reduce(np.isfinite(vectors), axis=1)
    norms = np.linalg.norm(np.nan_to_num(vectors).astype(np.float64), axis=1) * finite
    missing = np.full(len(rows), dimensions - vectors.shape[1], dtype=np.int64)
    zero = finite & (norms == 0)
    return pa.table([pa.array(rows, pa.string()), missing, finite, zero, norms], schema=EMBEDDINGS)


def chunk_row(owner: str, ordinal: int) -> str:
    """The name of a chunk's row: its document's id and its ordinal."""
    return f"{owner}#{ordinal}"


def owner_of(row: str) -> str:
    """The document id of a row that `chunk_row` named, or of a document's own row."""
    return row.partition("#")[0]


def rejections(violations: Iterable[Violation]) -> dict[str, Violation]:
    """The first critical violation of each document, by document id: what puts it in quarantine."""
    found: dict[str, Violation] = {}
    for violation in violations:
        if violation.severity == "critical" and violation.row_id:
            found.setdefault(owner_of(violation.row_id), violation)
    return found


def repeated_line_share(text: str) -> float:
    """Share of non-empty lines that stood before, 0 for fewer than 40: near 1 for pages of header and footer."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return 1 - len(set(lines)) / len(lines) if len(lines) >= _FEWEST_LINES else 0.0


def repeated_word_share(text: str) -> float:
    """Share that the three most frequent words make up, 0 for fewer than 50 words; prose stays below a third."""
    words = text.casefold().split()
    if len(words) < _FEWEST_WORDS:
        return 0.0
    return sum(count for _, count in Counter(words).most_common(3)) / len(words)


def _document_row(row: str, document: ParsedDocument, languages: tuple[str, ...] | None) -> dict[str, object]:
    text = "\n".join(element.text for element in document.elements)
    return {
        DOCUMENT_ROW: row,
        "media_type": document.media_type,
        "language": document.language,
        "language_allowed": languages is None or not document.language or document.language in languages,
        "text_length": _visible_characters(text),
        "nul_count": text.count("\0"),
        "replacement_share": replacement_share(text),
        "mojibake_share": mojibake_share(text),
        "repeated_line_share": repeated_line_share(text),
    }


def _chunk_row(owner: str, chunk: Chunk, max_tokens: int) -> dict[str, object]:
    return {
        CHUNK_ROW: chunk_row(owner, chunk.ordinal),
        "text_length": _visible_characters(chunk.text),
        "token_count": chunk.token_count,
        "truncated_tokens": max(0, chunk.token_count - max_tokens),
        "repeated_word_share": repeated_word_share(chunk.text),
    }


def _visible_characters(text: str) -> int:
    """Characters that are neither white space nor control nor format characters: zero-width spaces are no text."""
    return sum(count for char, count in Counter(text).items() if not _blank(char))


def _blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf")


def _table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)
