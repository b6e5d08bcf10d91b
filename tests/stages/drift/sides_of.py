"""Small samples for drift tests: topics are directions, documents are neighbours, everything by seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from nightjar.artifacts import SAMPLE, rows_table
from nightjar.stages.drift import Side

WORDS = (
    *("pump", "valve", "motor", "filter", "cable", "panel", "sensor"),
    *("crew", "shift", "spare", "gasket", "torque", "winter", "summer"),
)
DIMENSIONS = 32


def sample(documents: Sequence[int], *, topic: int = 0, chunks: int = 4) -> list[dict[str, object]]:
    """Rows of `SAMPLE`: document number n is the same whenever it is made."""
    middle = np.random.default_rng([9, topic]).standard_normal(DIMENSIONS)
    rows: list[dict[str, object]] = []
    for number in documents:
        random = np.random.default_rng([number, topic])
        near = middle + 0.6 * random.standard_normal(DIMENSIONS)
        for ordinal in range(chunks):
            drawn = near + 0.6 * random.standard_normal(DIMENSIONS)
            said = " ".join(random.choice(WORDS, 14))
            rows.append(
                {
                    "document_id": f"{topic}-{number:05d}",
                    "source_uri": f"s3://documents/{topic}/{number}.txt",
                    "content_key": f"c{topic}-{number}",
                    "title": f"Document {number}",
                    "media_type": "text/plain",
                    "language": "eng",
                    "size": 1000,
                    "ordinal": ordinal,
                    "text": f"In part {number}.{ordinal} {said} {random.integers(10**6)}.",
                    "token_count": 20,
                    "vector": (drawn / np.linalg.norm(drawn)).astype(np.float32),
                }
            )
    return rows


def side(rows: Sequence[dict[str, object]]) -> Side:
    return Side.of(table(rows))


def table(rows: Sequence[dict[str, object]]) -> pa.Table:
    return rows_table(rows, SAMPLE)


def manifest(rows: Sequence[dict[str, object]]) -> pa.Table:
    """A row a document, with the columns that composition reads."""
    firsts = {str(row["document_id"]): row for row in rows}
    return pa.table(
        {
            "document_id": list(firsts),
            "content_key": [row["content_key"] for row in firsts.values()],
            "key": [str(row["source_uri"]).removeprefix("s3://documents/") for row in firsts.values()],
            **{name: [row[name] for row in firsts.values()] for name in ("media_type", "language", "size")},
        }
    )
