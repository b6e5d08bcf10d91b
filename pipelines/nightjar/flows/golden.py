"""A corpus's golden questions for one evaluation: read, matched with what versions know, embedded once each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import run_key
from nightjar.corpus.questions import GoldenQuestion, GoldenQuestions, golden_questions, why_none
from nightjar.flows.manifests import load_manifest
from nightjar.flows.runs import read_table, write_table
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.model import DocumentId, Vector
from nightjar.stages.evaluation.answers import Known, known


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked: questions that the candidate can be judged by, with a row of `vectors` for each.

    `pairs` are those of them (by place) that live can be judged by, too: a question about a document that came tonight
    must not hide another one's loss. `digest` is of the file.
    """

    known: Known
    vectors: Vector
    pairs: tuple[int, ...]
    digest: str

    @property
    def questions(self) -> tuple[GoldenQuestion, ...]:
        """In the order of `vectors`."""
        return self.known.questions


def ask_of(services: Services, version: Version, live: Version | None, *, run_id: str | None) -> Asked | None:
    """The questions for a version and what is live; None where the corpus has none, or none about its documents.

    Args:
        services: the corpus's doors.
        version: what is to be scored.
        live: what it is compared with.
        run_id: keeps the vectors beside that run, so that its next step need not embed again; None: does not.

    Raises:
        Misconfigured: the file of questions is wrong.
    """
    golden = golden_questions(services.corpus)
    if golden is None:
        return None
    found = known(golden.questions, _known_to(services, version, golden))
    if not found.questions:
        return None
    standing = _known_to(services, live, golden) if live else frozenset()
    pairs = [place for place, each in enumerate(found.questions) if any(r.document in standing for r in each.relevant)]
    return Asked(found, _embedded(services, version, found, golden.digest, run_id=run_id), tuple(pairs), golden.digest)


def why_nothing_is_asked(services: Services, version: Version) -> str:
    """The sentence for what `ask_of` has no questions for."""
    if services.corpus.evaluation.questions is None:
        return why_none(services.corpus)
    return f"version {version.number} has none of the documents that the questions of {services.corpus.name} name"


def _known_to(services: Services, version: Version, golden: GoldenQuestions) -> frozenset[DocumentId]:
    """Of the documents that the questions name, those in the version's manifest, whatever became of them."""
    named = pa.array({each.document for question in golden.questions for each in question.relevant}, pa.string())
    ids = load_manifest(services.state, version.manifest)["document_id"]
    return frozenset(map(DocumentId, ids.filter(pc.is_in(ids, named)).to_pylist()))


def _embedded(services: Services, version: Version, found: Known, digest: str, *, run_id: str | None) -> Vector:
    """Shape (questions, dimensions)."""
    key = run_id and run_key(run_id, f"questions-{digest}-{version.recipe}.parquet")
    kept = read_table(services, key) if key else None
    texts = [each.text for each in found.questions]
    if kept is not None and kept["question"].to_pylist() == texts:
        return np.array(kept["vector"].to_pylist(), np.float32)
    embedder = services.embedder()
    vectors: Vector = np.stack([embedder.embed_query(text) for text in texts])
    if key:
        write_table(services, key, pa.table({"question": texts, "vector": pa.array(vectors.tolist())}))
    return vectors
