"""A version's sample at rest: made once at its gate from stored vectors, mostly copied from the live version's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import (
    SAMPLE,
    EmbeddedContent,
    from_parquet,
    rows_table,
    to_parquet,
    unpack_vectors,
    vectors_key,
    version_key,
)
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.stages.drift.picking import pick, spread

Row = Mapping[str, Any]
_ABOUT: Final = ("content_key", "embed_recipe", "vectors", "title", "media_type", "language", "size")


def sample_key(number: int) -> str:
    """Key of a version's sample."""
    return version_key(number, "sample.parquet")


def make_sample(services: Services, manifest: pa.Table, *, known: pa.Table) -> pa.Table:
    """Rows of `SAMPLE` for a manifest; documents that stand in `known` as they are now are not read again.

    A document whose stored vectors are gone is left out: that they are gone is found, and said, before indexing.
    """
    picked = pick(indexed(manifest))
    if known.num_rows and picked.num_rows:
        signed = _signatures(picked, "uri"), _signatures(known, "source_uri")
        kept = known.filter(pc.is_in(signed[1], signed[0]))
        picked = picked.filter(pc.invert(pc.is_in(signed[0], signed[1])))
    else:
        kept = SAMPLE.empty_table()
    made = rows_table(_passages(services, picked.to_pylist()), SAMPLE)
    return pa.concat_tables([kept.cast(SAMPLE), made]).sort_by([("document_id", "ascending"), ("ordinal", "ascending")])


def keep_sample(services: Services, number: int, sample: pa.Table) -> None:
    """Write it beside the version; the same again after a crash."""
    services.state.write(sample_key(number), to_parquet(sample.combine_chunks()))


def read_sample(services: Services, version: Version) -> pa.Table:
    """A version's sample; made anew, and not kept, for versions of a release that knew none."""
    key = sample_key(version.number)
    stored = services.state.read(key)
    if stored is not None:
        return from_parquet(stored.data, key=key)
    return make_sample(services, load_manifest(services.state, version.manifest), known=SAMPLE.empty_table())


def _passages(services: Services, rows: Iterable[Row]) -> Iterable[dict[str, Any]]:
    def read(row: Row) -> tuple[Row, EmbeddedContent | None]:
        key = vectors_key(row["embed_recipe"], row["content_key"])
        stored = services.state.read(key)
        return row, unpack_vectors(stored.data, key=key) if stored else None

    for row, content in in_order(read, rows):
        if content is None:
            continue
        about = {"document_id": row["document_id"], "source_uri": row["uri"]} | {name: row[name] for name in _ABOUT}
        for place in spread(len(content.chunks)):
            embedded = content.chunks[place]
            told = {name: getattr(embedded.chunk, name) for name in ("ordinal", "text", "context", "token_count")}
            yield about | told | {"vector": embedded.vector}


def _signatures(rows: pa.Table, uri: str) -> pa.Array:
    """What a document's sampled rows are made of, as one text."""
    names = ("document_id", uri, *_ABOUT)
    columns = [pc.coalesce(rows[name].combine_chunks().cast(pa.string()), "\x00") for name in names]
    return pc.binary_join_element_wise(*columns, "\x1e")
