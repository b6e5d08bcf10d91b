"""Ask the suites about what a shard made; a document's verdict is (code, reason), by content key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import EmbeddedContent
from nightjar.errors import Code
from nightjar.flows.manifests import failed_tonight, indexed
from nightjar.flows.metadata import set_aside_of
from nightjar.flows.services import Services
from nightjar.model import Chunk, ParsedDocument, sha256
from nightjar.recipe import Recipe
from nightjar.stages.judge import Tally, judge
from nightjar.stages.quality import (
    CHUNK_ROW,
    DOCUMENT_ROW,
    chunk_row,
    chunk_table,
    document_table,
    embedding_table,
    rejections,
)
from nightjar.stages.repeats import Sketch, count_repeats, sketch

_LISTED: Final = 200
_DIGEST_LENGTH: Final = 16

Verdicts = dict[str, tuple[Code, str]]


def check_documents(services: Services, documents: Mapping[str, ParsedDocument]) -> Verdicts:
    """Documents that the suite `documents` objects to."""
    languages = services.corpus.quality.languages
    table = document_table(documents.items(), languages=tuple(languages) if languages else None)
    return _rejected(services, "documents", table, row_id=DOCUMENT_ROW)


def check_chunks(services: Services, chunks: Mapping[str, Sequence[Chunk]]) -> Verdicts:
    """Documents one of whose chunks the suite `chunks` objects to."""
    rows = ((key, chunk) for key, made in chunks.items() for chunk in made)
    table = chunk_table(rows, max_tokens=services.tokenizer().max_tokens)
    return _rejected(services, "chunks", table, row_id=CHUNK_ROW)


def check_vectors(services: Services, contents: Mapping[str, EmbeddedContent]) -> Verdicts:
    """Documents one of whose vectors the suite `embeddings` objects to."""
    rows = [chunk_row(key, e.chunk.ordinal) for key, content in contents.items() for e in content.chunks]
    if not rows:
        return {}
    vectors = np.stack([e.vector for content in contents.values() for e in content.chunks])
    table = embedding_table(rows, vectors=vectors, dimensions=services.embedder().dimensions)
    return _rejected(services, "embeddings", table, row_id=CHUNK_ROW)


def check_digest(services: Services, recipe: Recipe) -> str:
    """16 hex digits that change when a rule could judge a document otherwise: suites, languages, parser or chunker."""
    languages = services.corpus.quality.languages
    return sha256(json.dumps([recipe.upto("chunk"), services.inspector().identity, languages]))[:_DIGEST_LENGTH]


def about_document(document: ParsedDocument) -> dict[str, str]:
    """What is kept of a whole document beside its chunks."""
    one = sketch("\n".join(element.text for element in document.elements))
    packed = ",".join([one.digest, *(f"{number:x}" for number in one.hashes)])
    return {"title": document.title, "language": document.language, "sketch": packed}


def _unpacked(packed: str) -> Sketch:
    digest, *numbers = packed.split(",")
    return Sketch(digest, tuple(int(number, 16) for number in numbers))


def judge_quality(services: Services, *, base: pa.Table, outcome: pa.Table, target: pa.Table) -> Mapping[str, Any]:
    """The quality gate's report on the candidate `target` that tonight's `outcome` makes of `base`."""
    served = indexed(base)["document_id"].combine_chunks()
    lost = failed_tonight(outcome)
    is_rule = pc.equal(lost["failure_stage"], "check")
    unreadable = lost.filter(pc.invert(is_rule))
    searchable = indexed(target)
    sketches = (_unpacked(packed) for packed in searchable["sketch"].drop_null().to_pylist())
    repeats = count_repeats(sketches)
    tally = Tally(
        documents=target.num_rows,
        searchable=searchable.num_rows,
        served=len(served),
        rejected=lost.num_rows - unreadable.num_rows,
        failed=unreadable.num_rows,
        failed_served=unreadable.filter(pc.is_in(unreadable["document_id"], served)).num_rows,
        repeated=repeats.count,
    )
    verdict = judge(tally, limits=services.corpus.quality)
    codes = Counter(lost["failure_code"].to_pylist())
    listed = lost.select(["uri", "failure_stage", "failure_code", "failure_reason"]).slice(0, _LISTED).to_pylist()
    repeated = {"exact": repeats.exact, "near": repeats.near}
    return {
        "format": 1,
        **asdict(verdict),
        "codes": dict(codes),
        "repeats": repeated,
        "quarantined": listed,
        "set_aside": set_aside_of(services.corpus, target),
    }


def _rejected(services: Services, suite: str, table: pa.Table, *, row_id: str) -> Verdicts:
    if table.num_rows == 0:
        return {}
    found = rejections(services.inspector().check(suite, table, row_id=row_id))
    return {key: (Code(violation.code), violation.reason) for key, violation in found.items()}
