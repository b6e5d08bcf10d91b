"""Draft golden questions from a corpus's stored chunks; nothing is written, a person accepts them."""

from __future__ import annotations

import numpy as np

from nightjar.artifacts import unpack_vectors, vectors_key
from nightjar.errors import Misconfigured
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.rows import Row
from nightjar.flows.services import Services
from nightjar.flows.versions import read_live, read_version
from nightjar.stages.evaluation.drafts import draft


def suggest(services: Services, *, limit: int) -> list[dict[str, object]]:
    """At most `limit` drafts as lines of a file of questions, from documents spread evenly over what is live.

    Raises:
        Misconfigured: nothing is live.
    """
    live = read_live(services.state)
    if live is None:
        raise Misconfigured(f"nothing is live: run it first with `nightjar run {services.corpus.name}`")
    manifest = load_manifest(services.state, read_version(services.state, live.version).manifest)
    rows = indexed(manifest).select(["document_id", "uri", "title", "content_key", "embed_recipe"])
    places = np.linspace(0, rows.num_rows - 1, min(limit, rows.num_rows)).round().astype(int)

    def drafted(row: Row) -> tuple[str, str | None]:
        key = vectors_key(row["embed_recipe"], row["content_key"])
        stored = services.state.read(key)
        chunks = [each.chunk for each in unpack_vectors(stored.data, key=key).chunks] if stored else []
        return row["uri"], draft(row["title"] or "the document", chunks, seed=row["document_id"])

    made: dict[str, str] = {}
    for uri, question in in_order(drafted, rows.take(places).to_pylist()):
        if question is not None:
            made.setdefault(question, uri)
    return [{"question": question, "relevant": [uri]} for question, uri in made.items()]
