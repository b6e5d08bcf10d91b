"""Manifests at rest: buckets by hash of the document's id; unchanged buckets are shared between versions."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import BUCKETS, MANIFEST, MANIFESTS_PREFIX, from_parquet, to_parquet
from nightjar.errors import Misconfigured
from nightjar.flows.parallel import in_order
from nightjar.model import sha256
from nightjar.ports import StateStore
from nightjar.registers import immutable_put

_DIGITS = [f"{number:x}" for number in range(BUCKETS)]
# What a checkout is made of: fingerprints and failures are not part of it, nor is access, which no version owns.
_CHECKOUT = [
    *("document_id", "content_key", "embed_recipe", "vectors"),
    *("title", "language", "fields", "document_modified_us"),
]


class LostBucket(Misconfigured):
    """A bucket that a manifest names is missing or damaged; it is named, never guessed around."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: restore it from a backup of the state, or `nightjar audit --repair` makes it again from the index"
        )


def load_manifest(state: StateStore, buckets: Sequence[str]) -> pa.Table:
    """All rows of a version's manifest; a bounded number of reads, whatever the corpus's size.

    Raises:
        LostBucket: a bucket is missing or damaged.
    """
    # Read at once, decoded one by one: each thread that decodes keeps memory of its own, together five times the rows.
    stored = in_order(lambda key: _standing(state, key), buckets)
    tables = [bucket_in(data, key=key) for key, data in zip(buckets, stored, strict=True)]
    return pa.concat_tables(tables) if tables else MANIFEST.empty_table()


def read_bucket(state: StateStore, key: str) -> pa.Table:
    """Rows of one bucket.

    Raises:
        LostBucket: it is missing or damaged.
    """
    return bucket_in(_standing(state, key), key=key)


def _standing(state: StateStore, key: str) -> bytes:
    stored = state.read(key)
    if stored is None:
        raise LostBucket(f"the manifest bucket {key} is missing from the state")
    return stored.data


def bucket_in(data: bytes, *, key: str) -> pa.Table:
    """Rows of a bucket that was read.

    Raises:
        LostBucket: it is damaged.
    """
    try:
        return conformed(from_parquet(data, key=key))
    except Misconfigured as error:
        raise LostBucket(f"the manifest bucket {key} is damaged") from error


def conformed(table: pa.Table) -> pa.Table:
    """Rows that an earlier release wrote, with nulls for columns it did not know."""
    if table.schema.equals(MANIFEST):
        return table
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in MANIFEST
    ]
    return pa.table(columns, schema=MANIFEST)


def save_manifest(state: StateStore, manifest: pa.Table) -> list[str]:
    """Write the buckets that do not stand already; returns their keys, the version's manifest."""
    first = pc.utf8_slice_codeunits(manifest["document_id"], 0, 1)

    def write(digit: str) -> str | None:
        return save_bucket(state, manifest.filter(pc.equal(first, digit)))

    return [key for key in in_order(write, _DIGITS) if key]


def save_bucket(state: StateStore, rows: pa.Table) -> str | None:
    """Write one bucket if it does not stand already, undamaged; its key, None where there are no rows."""
    if rows.num_rows == 0:
        return None
    # Arrow names a list's items otherwise once they were read back, and equal rows would get another key.
    data = to_parquet(rows.sort_by("document_id").combine_chunks().cast(MANIFEST))
    key = f"{MANIFESTS_PREFIX}{sha256(data)}.parquet"
    if immutable_put(state, key, data) != data:
        state.write(key, data)
    return key


def indexed(manifest: pa.Table) -> pa.Table:
    """Rows that stand in the index: those with content."""
    return manifest.filter(pc.is_valid(manifest["content_key"]))


def counts_of(manifest: pa.Table) -> dict[str, int]:
    """What a version with this manifest has in the index, and what is set aside."""
    rows = indexed(manifest)
    return {
        "documents": rows.num_rows,
        "chunks": pc.sum(rows["chunks"]).as_py() or 0,
        "tokens": pc.sum(rows["tokens"]).as_py() or 0,
        "quarantined": manifest.num_rows - manifest["failure_code"].null_count,
    }


def without_content(manifest: pa.Table) -> pa.Array:
    """Ids of documents that were tried and stand nowhere in the index."""
    return manifest.filter(pc.is_null(manifest["content_key"]))["document_id"].combine_chunks()


def lost_documents(base: pa.Table, target: pa.Table) -> pa.Array:
    """Ids of documents that people find in `base`, and that `target` tried and has not: they failed in a new space."""
    tried = without_content(target)
    return tried.filter(pc.is_in(tried, indexed(base)["document_id"].combine_chunks()))


def failed_tonight(outcome: pa.Table) -> pa.Table:
    """Rows of an outcome whose document was tried and failed.

    One that failed earlier, whose standing content alone was made again, still names its failure beside that content.
    """
    return outcome.filter(pc.and_(pc.is_valid(outcome["failure_code"]), pc.is_null(outcome["content_key"])))


def differing(before: pa.Table, target: pa.Table) -> pa.Array:
    """Ids of the documents whose objects differ between two manifests, or stand in one of them only; set-based."""
    ours, theirs = (_signed(indexed(manifest)) for manifest in (before, target))
    gone = ours.filter(pc.invert(pc.is_in(ours["signature"], theirs["signature"].combine_chunks())))
    come = theirs.filter(pc.invert(pc.is_in(theirs["signature"], ours["signature"].combine_chunks())))
    return pc.unique(pa.concat_tables([gone, come])["document_id"].combine_chunks())


def quarantine_of(manifest: pa.Table) -> pa.Table:
    """Who is set aside, where and with which code; equal tables where two manifests say the same."""
    failed = manifest.filter(pc.is_valid(manifest["failure_code"]))
    return failed.select(["document_id", "failure_stage", "failure_code"]).sort_by("document_id").combine_chunks()


def _signed(rows: pa.Table) -> pa.Table:
    """document_id, and a text that is equal where a document's objects are."""
    columns = [pc.coalesce(rows[name].cast(pa.string()), "\x00") for name in _CHECKOUT]
    signature = pc.binary_join_element_wise(*columns, "\x1e")
    return pa.table({"document_id": rows["document_id"], "signature": signature})


def checkout_digest(manifest: pa.Table) -> str:
    """Equal digests make equal collections."""
    rows = indexed(manifest).sort_by("document_id").select(_CHECKOUT)
    return sha256(json.dumps(rows.to_pydict(), sort_keys=True))
