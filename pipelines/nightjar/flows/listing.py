"""What the bucket holds tonight, and which part of it a run may touch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.corpus import Corpus
from nightjar.errors import Misconfigured
from nightjar.flows.erased import refused_ids, without_refused
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.kinds import Unfit, typed
from nightjar.stages.select import selected, with_sidecars


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole listing: `documents` are those that the corpus takes, with their sidecars; `keys` are all that stand.

    `erased` counts documents that stand and are refused.
    """

    documents: pa.Table
    keys: pa.Array
    erased: int = 0


def list_documents(services: Services) -> Listing:
    """List the bucket; nothing of it is left out because of what a run was asked for."""
    corpus = services.corpus
    pages: list[pa.Table] = []
    listed = 0
    for page in services.source.listing():
        pages.append(page)
        listed += page.num_rows
        services.progress("list", listed, 0)
    everything = pa.concat_tables(pages).combine_chunks()
    rows = with_sidecars(everything, enabled=corpus.metadata.sidecar)
    # A key that ends in "/" with no bytes is how consoles draw a folder; it is nobody's document.
    marker = pc.and_(pc.ends_with(rows["key"], "/"), pc.equal(rows["size"], 0))
    relative = pc.utf8_slice_codeunits(rows["key"], len(corpus.prefix))
    taken = selected(relative, include=corpus.source.include, exclude=corpus.source.exclude)
    rows = rows.filter(pc.and_(taken, pc.invert(marker)))
    uris = pc.binary_join_element_wise(f"s3://{corpus.bucket}/", rows["key"], "")
    return Listing(rows.append_column("uri", uris), everything["key"].combine_chunks())


def list_wanted(services: Services, base: pa.Table) -> tuple[Listing, pa.Table]:
    """The bucket and the manifest `base` without erased documents: neither listed nor missing, no guard counts them."""
    listing = list_documents(services)
    documents, base = without_refused(listing.documents, base, refused_ids(services.state))
    erased = listing.documents.num_rows - documents.num_rows
    return replace(listing, documents=documents, erased=erased), base


def source_root(services: Services) -> str:
    """The address that every document of the corpus begins with, today."""
    return f"s3://{services.corpus.bucket}/{services.corpus.prefix}"


def within(table: pa.Table, corpus: Corpus, options: Options, *, base: pa.Table) -> pa.Table:
    """Those rows of a listing or a manifest that a limited run may touch: it makes and deletes nothing outside.

    Every limit that was asked for holds. A prefix and named documents also take what nobody has seen yet; a metadata
    field and "failed" are known of documents in `base` alone.
    """
    if options.prefix:
        table = table.filter(pc.starts_with(table["key"], corpus.prefix + options.prefix))
    if options.where:
        name, value = options.where
        table = _of(table, _uris_where(base, name, value, kind=corpus.metadata.fields.get(name, "")))
    if options.failed:
        table = _of(table, base.filter(pc.is_valid(base["failure_code"]))["uri"].combine_chunks())
    if options.documents:
        table = _of(table, _uris_named(base, options.documents))
    return table


def _of(table: pa.Table, uris: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table["uri"], uris))


def _uris_where(manifest: pa.Table, name: str, value: str, *, kind: str) -> pa.Array:
    rows = manifest.select(["uri", "fields"]).to_pylist()
    uris = [row["uri"] for row in rows if _says(json.loads(row["fields"] or "{}").get(name), value, kind=kind)]
    return pa.array(uris, pa.string())


def _says(stored: object, wanted: str, *, kind: str) -> bool:
    """Both as the kind has them, so that a day is its midnight and 2.0 is 2; of several texts one. Else no."""
    try:
        if kind == "text[]":
            return wanted in cast("tuple[str, ...]", typed(stored, kind=kind))
        return typed(stored, kind=kind) == typed(wanted, kind=kind)
    except (Unfit, KeyError):
        return False


def _uris_named(manifest: pa.Table, documents: Iterable[str]) -> pa.Array:
    """Documents by id or by address; an address that no manifest knows may be a new one's."""
    named = pa.array(list(documents), pa.string())
    by_id = manifest.filter(pc.is_in(manifest["document_id"], named))["uri"]
    return pa.concat_arrays([named, *by_id.chunks])


def refuse_unknown(listing: pa.Table, base: pa.Table, options: Options) -> None:
    """Raise where a document was named that is neither in the bucket nor in the live version.

    Raises:
        Misconfigured: the first of them.
    """
    if not options.documents:
        return
    known = {*listing["uri"].to_pylist(), *base["uri"].to_pylist(), *base["document_id"].to_pylist()}
    unknown = next((name for name in options.documents if name not in known), None)
    if unknown is not None:
        raise Misconfigured(
            f"no document {unknown}: give an id or a source uri as `nightjar quarantine` shows it, within what the run"
            " is limited to"
        )
