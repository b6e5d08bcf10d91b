"""Where documents show in the state: every manifest and every run's tables are read, for nothing else knows copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import MANIFESTS_PREFIX, from_parquet
from nightjar.flows.checkouts import checkouts
from nightjar.flows.manifests import bucket_in, load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.services import Services
from nightjar.flows.versions import read_versions
from nightjar.model import document_id_of

_SEEN: Final = ("document_id", "uri", "content_key", "attempted_content", "digest")
_OF_BASE: Final = "base_"

Row = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Traces:
    """One document's: its uri ('' where only an id is known), the content that it alone has, and digests of its bytes.

    `copies` are addresses of documents with the same content, which keep it.
    """

    uri: str
    contents: frozenset[str]
    digests: frozenset[str]
    copies: frozenset[str]


def id_of(services: Services, named: str) -> tuple[str, str]:
    """(document id, uri) of a document as a person names it: id, source uri, key, or key below `source.uri`."""
    if _is_id(named):
        return named, ""
    corpus = services.corpus
    key = named if named.startswith(corpus.prefix) else f"{corpus.prefix}{named}"
    uri = named if named.startswith("s3://") else f"s3://{corpus.bucket}/{key}"
    return document_id_of(uri), uri


def find_traces(services: Services, documents: Collection[str]) -> dict[str, Traces]:
    """Traces of those of `documents` (by id) that any version's manifest or any run's tables know.

    Raises:
        Misconfigured: a manifest is missing or damaged, so that nobody could tell.
    """
    sightings = _sightings(services, pa.array(sorted(documents), pa.string()))
    others = _others(services, {key for row in sightings for key in _contents(row)}, documents)
    shared: defaultdict[str, set[str]] = defaultdict(set)
    for other in others:
        shared[other["content_key"]].add(other["uri"])
    of_document: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sightings:
        of_document[str(row["document_id"])].append(row)
    return {document: _traces(rows, shared) for document, rows in of_document.items()}


def _traces(rows: Sequence[Row], shared: Mapping[str, set[str]]) -> Traces:
    contents = {key for row in rows for key in _contents(row)}
    return Traces(
        uri=next((row["uri"] for row in rows if row["uri"]), ""),
        contents=frozenset(contents - shared.keys()),
        digests=frozenset(row["digest"] for row in rows if row["digest"]),
        copies=frozenset(uri for key in contents for uri in shared.get(key, ())),
    )


def _contents(row: Row) -> list[str]:
    return [key for key in (row["content_key"], row["attempted_content"]) if key]


def tables(services: Services, keys: Iterable[str]) -> Iterator[tuple[str, pa.Table]]:
    """The Parquet objects under these keys; one that vanished meanwhile is passed over."""

    def read(key: str) -> tuple[str, pa.Table | None]:
        stored = services.state.read(key)
        if stored is None:
            return key, None
        unpacked = bucket_in if key.startswith(MANIFESTS_PREFIX) else from_parquet
        return key, unpacked(stored.data, key=key)

    for key, table in in_order(read, (key for key in keys if key.endswith(".parquet"))):
        if table is not None:
            yield key, table


def _sightings(services: Services, documents: pa.Array) -> list[Row]:
    found: dict[tuple[str | None, ...], Row] = {}
    for prefix in (MANIFESTS_PREFIX, "runs/", "versions/"):
        for _, table in tables(services, services.state.keys(prefix)):
            for rows in _named_rows(table):
                for row in rows.filter(pc.is_in(rows["document_id"], documents)).to_pylist():
                    found.setdefault(tuple(row.values()), row)
    return list(found.values())


def _named_rows(table: pa.Table) -> Iterator[pa.Table]:
    """What a table says of documents, tonight's columns and the base's; nulls for what it does not say."""
    if "uri" in table.column_names and "document_id" not in table.column_names:
        ids = pa.array([document_id_of(uri) for uri in table["uri"].to_pylist()], pa.string())
        table = table.append_column("document_id", ids)
    for prefix in ("", _OF_BASE):
        if f"{prefix}document_id" in table.column_names:
            names = [f"{prefix}{name}" for name in _SEEN]
            columns = [table[n].cast(pa.string()) if n in table.column_names else _nothing(table) for n in names]
            yield pa.table(columns, names=list(_SEEN))


def _nothing(table: pa.Table) -> pa.Array:
    return pa.nulls(table.num_rows, pa.string())


def _others(services: Services, contents: Collection[str], documents: Collection[str]) -> list[dict[str, str]]:
    """Rows of other documents with one of these contents, in any version and in any collection's record."""
    manifests: set[Sequence[str]] = {version.manifest for version in read_versions(services.state)}
    manifests |= {entry.value.manifest for entry in checkouts(services)}
    wanted, ours = pa.array(sorted(contents), pa.string()), pa.array(sorted(documents), pa.string())
    found: list[dict[str, str]] = []
    buckets = sorted({key for manifest in manifests for key in manifest})
    for table in in_order(lambda bucket: load_manifest(services.state, [bucket]), buckets):
        rows = table.select(["document_id", "uri", "content_key"])
        is_theirs = pc.and_(pc.is_in(rows["content_key"], wanted), pc.invert(pc.is_in(rows["document_id"], ours)))
        found += rows.filter(is_theirs).to_pylist()
    return found


def _is_id(named: str) -> bool:
    try:
        return str(UUID(named)) == named
    except ValueError:
        return False
