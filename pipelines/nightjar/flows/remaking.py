"""Standing documents that are made again although the bucket says nothing new of them."""

from __future__ import annotations

import logging

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import Misconfigured
from nightjar.flows.listing import Listing
from nightjar.flows.manifests import indexed
from nightjar.flows.objects import without_vectors
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.plural import counted
from nightjar.recipe import Recipe
from nightjar.stages.plan import Changes, remake

log = logging.getLogger(__name__)


def remake_lost(services: Services, changes: Changes, base: pa.Table, *, gone: pa.Table, listing: Listing) -> Changes:
    """Documents whose stored vectors are gone are made again, so that everything a manifest names exists.

    From their elements where the bucket does not hold what they were made of: unlisted, or changed into what fails.
    """
    lost = without_vectors(services, _left(base, changes, gone=gone))
    if lost.num_rows == 0:
        return changes
    log.warning("stored vectors of %d documents are gone: they are made again", lost.num_rows)
    listed = pc.is_in(lost["uri"], listing.documents["uri"].combine_chunks())
    held = pc.and_(listed, pc.is_null(lost["failure_code"]))
    from_bytes, from_elements = lost.filter(held)["uri"], lost.filter(pc.invert(held))["uri"]
    changes = changes.with_again(remake(base, uris=from_bytes.combine_chunks(), start="parse"))
    return changes.with_again(remake(base, uris=from_elements.combine_chunks(), start="embed"))


def in_one_space(
    services: Services, changes: Changes, base: pa.Table, *, gone: pa.Table, recipe: Recipe, options: Options
) -> Changes:
    """What stays unlisted, such as withheld deletions, is embedded anew where the model is another.

    Vectors of two models are never compared, so that a run that may not touch the rest cannot make a version.

    Raises:
        Misconfigured: the run is limited, and documents outside were embedded by another model.
    """
    left = _left(base, changes, gone=gone)
    other = left.filter(pc.not_equal(left["space"], recipe.space))
    if other.num_rows == 0:
        return changes
    if options.is_limited:
        raise Misconfigured(
            f"{counted(other.num_rows, 'document was', 'documents were')} embedded by another model than the corpus"
            f" file's, outside of what the run is limited to, and one version holds one model's vectors: run the whole"
            f" corpus first (`nightjar run {services.corpus.name}`), and promote its version where that waits"
        )
    return changes.with_again(remake(base, uris=other["uri"].combine_chunks(), start="embed"))


def _left(base: pa.Table, changes: Changes, *, gone: pa.Table) -> pa.Table:
    """Indexed rows of the base that the run would keep as they are."""
    rows = indexed(base)
    taken = pa.chunked_array([*changes.work["uri"].chunks, *gone["uri"].chunks], pa.string())
    return rows.filter(pc.invert(pc.is_in(rows["uri"], taken.combine_chunks())))
