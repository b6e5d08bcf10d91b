"""Documents that stand under another key now: the old row goes when the new key has content, and not before."""

from __future__ import annotations

import logging

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.flows.listing import Listing, source_root
from nightjar.flows.manifests import indexed
from nightjar.flows.services import Services
from nightjar.stages.deletions import renamed_rows
from nightjar.stages.plan import Changes

log = logging.getLogger(__name__)


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


def _excluded(services: Services, rows: pa.Table, *, listing: Listing) -> pa.Array:
    """Their object stands, and the corpus file takes it no more."""
    ours = pc.starts_with(rows["uri"], source_root(services))
    return pc.and_(ours, pc.is_in(rows["key"], listing.keys))
