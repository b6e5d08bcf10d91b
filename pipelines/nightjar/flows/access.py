"""Who may read what now: one table beside all versions, so that no rollback and no late night gives access back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import ACCESS, ACCESS_ROWS, from_parquet, to_parquet
from nightjar.errors import Misconfigured, Superseded, Transient
from nightjar.flows.checkouts import checkouts
from nightjar.flows.manifests import load_manifest
from nightjar.flows.metadata import says_groups
from nightjar.flows.services import Services
from nightjar.flows.versions import read_live, read_versions
from nightjar.ports import StateStore

_NOBODY: Final = pa.scalar([], pa.list_(pa.string()))


@dataclass(frozen=True, slots=True)
class Access:
    """The table as it was read. `rules` is the digest of the metadata rules that its groups were made by.

    `sequence` grows with every move; a row's `changed` is the sequence at which its groups last did, 0 for a document
    that was open from the start. `etag` is None before the table stands.
    """

    rows: pa.Table
    sequence: int = 0
    rules: str = ""
    etag: str | None = None

    @property
    def declared(self) -> bool:
        """Some document has an ACL, so that one without is for nobody."""
        return bool(self.rows.num_rows > self.rows["acl"].null_count)

    def since(self, sequence: int) -> list[str]:
        """Documents whose groups changed after that."""
        found: list[str] = self.rows.filter(pc.greater(self.rows["changed"], sequence))["document_id"].to_pylist()
        return found

    def groups(self, documents: pa.ChunkedArray, acl: pa.ChunkedArray) -> pa.ChunkedArray:
        """The groups that hold now of documents by id, `acl` of those that the table does not know."""
        place = pc.index_in(documents, self.rows["document_id"].combine_chunks())
        acl = pc.if_else(pc.is_valid(place), self.rows["acl"].take(place), acl)
        return pc.if_else(pc.is_null(acl), _NOBODY, acl) if self.declared else acl

    def over(self, manifest: pa.Table) -> pa.Table:
        """Rows of a manifest with the groups that hold now, and the sidecars that were seen for their groups alone."""
        place = pc.index_in(manifest["document_id"], self.rows["document_id"].combine_chunks())
        acl = self.groups(manifest["document_id"], manifest["acl"])
        table = manifest.set_column(manifest.column_names.index("acl"), manifest.schema.field("acl"), acl)
        seen = pc.fill_null(self.rows["sidecar_seen"].take(place), fill_value=False)
        for name in SIDECAR:
            column = pc.if_else(seen, self.rows[name].take(place), manifest[name])
            table = table.set_column(table.column_names.index(name), manifest.schema.field(name), column)
        return table


SIDECAR: Final = ("sidecar_etag", "sidecar_size", "sidecar_modified_us", "sidecar")
"""Columns of a manifest that a sidecar alone decides, besides what is made of it."""


def read_access(services: Services) -> Access:
    """The table, or what it would start from: the newest word of every version's manifest.

    Raises:
        Misconfigured: it is damaged, or missing although collections were written by it; it is named.
    """
    return _stored(services.state) or _seed(services)


def move_access(state: StateStore, seen: Access, moved: Access) -> Access:
    """Compare-and-set of the table, one sequence on.

    Raises:
        Superseded: somebody else moved it.
        Transient: the store did not answer, and does not say now that the write was done; or it said no, and nothing
            moved.
    """
    nonce = uuid4().hex
    about = {"sequence": str(seen.sequence + 1), "nonce": nonce, "rules": moved.rules}
    data = to_parquet(moved.rows.cast(ACCESS_ROWS).replace_schema_metadata(about))
    unanswered: Transient | None = None
    etag: str | None = None
    try:
        etag = state.create(ACCESS, data) if seen.etag is None else state.replace(ACCESS, data, etag=seen.etag)
    except Transient as error:
        unanswered = error
    if etag is not None:
        return replace(moved, sequence=seen.sequence + 1, etag=etag)
    stored = state.read(ACCESS)
    if stored is not None and stored.data == data:
        return replace(moved, sequence=seen.sequence + 1, etag=stored.etag)
    if unanswered is not None:
        raise unanswered
    if (stored.etag if stored else None) == seen.etag:
        raise Transient(f"the store refuses to move {ACCESS}, although nobody else moved it: try again")
    raise Superseded(f"{ACCESS} was moved by somebody else meanwhile: trigger a new run")


def _stored(state: StateStore) -> Access | None:
    stored = state.read(ACCESS)
    if stored is None:
        return None
    table = from_parquet(stored.data, key=ACCESS)
    if "named" not in table.column_names:  # an earlier release wrote it
        table = table.append_column("named", pa.nulls(table.num_rows, pa.bool_()))
    about = table.schema.metadata or {}
    try:
        rows = table.select(ACCESS_ROWS.names).cast(ACCESS_ROWS)
        return Access(rows.combine_chunks(), int(about[b"sequence"]), about[b"rules"].decode(), stored.etag)
    except (KeyError, ValueError, pa.ArrowException) as error:
        raise Misconfigured(
            f"the state object {ACCESS} is damaged ({type(error).__name__}: {error}): restore it from a backup"
        ) from error


def _seed(services: Services) -> Access:
    """The live version's manifest first, then the others, newest first."""
    if any(entry.value.access for entry in checkouts(services)):
        raise Misconfigured(
            f"the state object {ACCESS} is missing: restore it from a backup, it says who may read what"
        )
    live = read_live(services.state)
    versions = read_versions(services.state)
    versions.sort(key=lambda each: live is None or each.number != live.version)
    known = ACCESS_ROWS.empty_table()
    for version in versions:
        manifest = load_manifest(services.state, version.manifest)
        new = pc.invert(pc.is_in(manifest["document_id"], known["document_id"].combine_chunks()))
        known = pa.concat_tables([known, _first(manifest.filter(new))])
    rules = next((version.metadata_rules for version in versions), "")
    return Access(known.combine_chunks(), rules=rules)


def _first(manifest: pa.Table) -> pa.Table:
    """Groups may differ from those in older collections: all that are named count as changed."""
    changed = pc.if_else(pc.is_null(manifest["acl"]), 0, 1)
    return merged(ACCESS_ROWS.empty_table(), manifest, sequence=0).set_column(
        ACCESS_ROWS.names.index("changed"), "changed", changed.cast(pa.int64())
    )


def merged(rows: pa.Table, manifest: pa.Table, *, sequence: int, seen: pa.Array | None = None) -> pa.Table:
    """Access rows with those of a manifest in place; one whose groups are the same keeps when they changed.

    `seen` are ids whose sidecar is to be remembered here, because nothing else of the document changed. Of a document
    whose own metadata could not be read stays what was known: its groups, and whether it names them itself.
    """
    place = pc.index_in(manifest["document_id"], rows["document_id"].combine_chunks())
    named = _named(manifest)
    unread = pc.and_(pc.is_null(named), pc.is_valid(place))
    acl = pc.if_else(unread, rows["acl"].take(place), manifest["acl"])
    was, now = signature(rows["acl"].take(place)), signature(acl)
    before = rows["changed"].take(place)
    first = pc.if_else(pc.is_null(acl), 0, sequence)
    changed = pc.if_else(pc.is_null(place), first, pc.if_else(pc.equal(was, now), before, sequence))
    remembered = pc.is_in(manifest["document_id"], seen) if seen is not None else _none_of(manifest)
    columns = {
        "document_id": manifest["document_id"],
        "acl": acl,
        "changed": changed.cast(pa.int64()),
        "named": pc.coalesce(named, rows["named"].take(place)),
        "sidecar_seen": remembered,
        **{name: pc.if_else(remembered, manifest[name], pa.scalar(None, manifest[name].type)) for name in SIDECAR},
    }
    fresh = pa.table(columns).cast(ACCESS_ROWS)
    kept = rows.filter(pc.invert(pc.is_in(rows["document_id"], fresh["document_id"].combine_chunks())))
    return pa.concat_tables([kept, fresh]).sort_by("document_id").combine_chunks()


def withheld(rows: pa.Table, *, sequence: int) -> pa.Table:
    """Where some documents have an ACL, one without is for nobody, from this sequence on."""
    if rows["acl"].null_count in (0, rows.num_rows):
        return rows
    return regrouped(rows, pc.if_else(pc.is_null(rows["acl"]), _NOBODY, rows["acl"]), sequence=sequence)


def regrouped(rows: pa.Table, acl: pa.ChunkedArray, *, sequence: int) -> pa.Table:
    """Access rows with these groups; where they are others than before, from this sequence on."""
    same = pc.equal(signature(rows["acl"]), signature(acl))
    changed = pc.if_else(same, rows["changed"], sequence).cast(pa.int64())
    rows = rows.set_column(ACCESS_ROWS.names.index("acl"), ACCESS_ROWS.field("acl"), acl)
    return rows.set_column(ACCESS_ROWS.names.index("changed"), ACCESS_ROWS.field("changed"), changed)


def signature(acl: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text that is equal where the groups are; an unknown ACL and an empty one differ."""
    listed = acl.combine_chunks().cast(pa.list_(pa.string()))
    return pc.if_else(
        pc.is_null(listed), "\x00", pc.binary_join_element_wise("+", pc.binary_join(listed, "\x1f"), "\x1e")
    )


def _named(manifest: pa.Table) -> pa.Array:
    rows = manifest.select(["object_metadata", "sidecar_etag", "sidecar"]).to_pylist()
    return pa.array(map(says_groups, rows), pa.bool_())


def _none_of(manifest: pa.Table) -> pa.Array:
    return pa.array([False] * manifest.num_rows, pa.bool_())
