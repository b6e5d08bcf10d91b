"""Documents that stand under another key now: the old row goes when the new key has content, and not before."""

from __future__ import annotations

import logging

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.flows.listing import Listing, source_root
from nightjar.flows.manifests import indexed
from nightjar.flows.services import Services
from nightjar.stages.deletions import renamed_rows
from nightjar.stages.plan import ADDED, Changes

log = logging.getLogger(__name__)


def heirs(work: pa.Table) -> pa.Table:
    """Rows of tonight's work that may continue another document: their key has nothing in the index yet."""
    return work.filter(pc.is_null(work["base_content_key"]))


def continued(gone: pa.Table, work: pa.Table) -> pa.Array:
    """True for rows of `gone` whose bytes tonight's work reads under another key."""
    return renamed_rows(gone, heirs(work))


def to_new_keys(renamed: pa.Table, work: pa.Table) -> int:
    """How many of the renames lead to a key that the base does not know; others failed under theirs before."""
    return int(pc.sum(renamed_rows(renamed, work.filter(pc.equal(work["why"], ADDED)))).as_py() or 0)


def awaited(services: Services, gone: pa.Table, *, changes: Changes, listing: Listing, base: pa.Table) -> pa.Table:
    """Rows of `gone` whose bytes stand under a key without content that tonight does not read: they stay.

    Such a key is outside of what the run is limited to, or in quarantine. Those that are not served do not wait, nor do
    those that the corpus file excludes.
    """
    rows = indexed(gone)
    rows = rows.filter(pc.invert(_excluded(services, rows, listing=listing)))
    if rows.num_rows == 0:
        return rows
    settled = pa.chunked_array([*indexed(base)["uri"].chunks, *changes.work["uri"].chunks], pa.string())
    unread = listing.documents.filter(pc.invert(pc.is_in(listing.documents["uri"], settled.combine_chunks())))
    rows = rows.filter(renamed_rows(rows, unread))
    if rows.num_rows:
        log.warning("%d documents stay: their bytes stand under another key that tonight does not read", rows.num_rows)
    return rows


def may_stay(services: Services, renamed: pa.Table, *, listing: Listing) -> pa.Table:
    """Those of the plan's renames that stay where their new key fails."""
    return indexed(renamed.filter(pc.invert(_excluded(services, renamed, listing=listing))))


def _excluded(services: Services, rows: pa.Table, *, listing: Listing) -> pa.Array:
    """Their object stands, and the corpus file takes it no more."""
    ours = pc.starts_with(rows["uri"], source_root(services))
    return pc.and_(ours, pc.is_in(rows["key"], listing.keys))


def failed_moves(moved: pa.Table, *, base: pa.Table, outcome: pa.Table) -> pa.Table:
    """Those of `moved`, which the plan let go, whose new key got no content tonight."""
    return moved.filter(pc.invert(renamed_rows(moved, arrivals(base, outcome))))


def arrivals(base: pa.Table, outcome: pa.Table) -> pa.Table:
    """Rows of an outcome that brought content to a document that had none."""
    had = indexed(base)["document_id"].combine_chunks()
    made = indexed(outcome)
    return made.filter(pc.invert(pc.is_in(made["document_id"], had)))
