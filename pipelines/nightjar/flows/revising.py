"""Every version's manifest without some documents: buckets are shared and named by content, so new ones are written.

Versions and collections keep agreeing: digests and counts are made anew from the same rows, so that audits stay clean
and nothing is rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import pyarrow as pa

from nightjar.artifacts import MANIFESTS_PREFIX
from nightjar.flows.checkouts import Checkout, checkouts, move_checkout
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.manifests import checkout_digest, conformed, counts_of, load_manifest, save_bucket
from nightjar.flows.services import Services
from nightjar.flows.traces import tables
from nightjar.flows.versions import Version, read_versions, save_version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName
from nightjar.stages.scrub import Marks, scrubbed, without_rows


def revise_manifests(services: Services, marks: Marks, *, lease: Lease) -> list[str]:
    """Take the documents out of every version and every collection's record; keys of buckets that nobody needs now.

    Raises:
        Misconfigured: a bucket that a version names is missing or damaged.
    """
    revised = _revised_buckets(services, marks, lease=lease)
    replace_buckets(
        services,
        revised,
        lease=lease,
        told=lambda version: _told_without(version, marks),
        held=lambda checkout: _standing_witnesses(services, checkout),
    )
    return list(revised)


def replace_buckets(
    services: Services,
    revised: Mapping[str, str | None],
    *,
    lease: Lease,
    told: Callable[[Version], Version] = lambda version: version,
    held: Callable[[Checkout], Checkout] = lambda checkout: checkout,
) -> None:
    """Have every version and every collection's record name other buckets, with the digests and counts of those.

    Args:
        services: the corpus's doors.
        revised: bucket → the one in its place; None where there is none.
        lease: held by the caller.
        told: what else changes in a version's record.
        held: what else changes in a collection's.

    Raises:
        LostBucket: a bucket beside one that is replaced is missing or damaged.
    """

    @cache
    def figures(manifest: tuple[str, ...]) -> tuple[str, Mapping[str, int]]:
        rows = load_manifest(services.state, manifest)
        return checkout_digest(rows), counts_of(rows)

    def mapped(manifest: Sequence[str]) -> tuple[str, ...]:
        return tuple(new for key in manifest if (new := revised.get(key, key)) is not None)

    for version in read_versions(services.state):
        due = told(version)
        if (manifest := mapped(version.manifest)) != version.manifest:
            digest, counts = figures(manifest)
            # Its gates judged other content than is left: a night that makes the rest is judged anew.
            counted = {**version.counts, **counts}
            due = replace(due, manifest=manifest, checkout=digest, counts=counted, judged_by="")
        if due != version:
            lease.assure(REQUEST_S)
            save_version(services.state, due)
    for entry in checkouts(services):
        checkout = held(entry.value)
        if (manifest := mapped(checkout.manifest)) != checkout.manifest:
            checkout = replace(checkout, manifest=manifest, checkout=figures(manifest)[0])
        if checkout != entry.value:
            lease.assure(REQUEST_S)
            move_checkout(services.state, entry, checkout)


def _revised_buckets(services: Services, marks: Marks, *, lease: Lease) -> dict[str, str | None]:
    """Bucket that has rows of the documents → the one without them; None where no row is left.

    Buckets that no version names are looked at, too: a crashed run may have left them.
    """
    revised: dict[str, str | None] = {}
    for key, table in tables(services, services.state.keys(MANIFESTS_PREFIX)):
        rest: pa.Table = without_rows(conformed(table), _by_id(marks))
        if rest.num_rows < table.num_rows:
            lease.assure(REQUEST_S)
            revised[key] = save_bucket(services.state, rest)
    return revised


def _by_id(marks: Marks) -> Marks:
    """A manifest's rows are known by their id; whoever shares a content keeps it."""
    return Marks(ids=marks.ids)


def _told_without(version: Version, marks: Marks) -> Version:
    """What people and gates wrote into the record, each step of its history kept."""
    return replace(
        version,
        reason=scrubbed(version.reason, marks),
        verdicts=scrubbed(dict(version.verdicts), marks),
        history=tuple(scrubbed(dict(step), marks) for step in version.history),
    )


def _standing_witnesses(services: Services, held: Checkout) -> Checkout:
    """With the recent ids that stand and the probes whose exact neighbours do: an erased chunk's own lost itself.

    Of a collection that is gone nobody can tell which those are, so that none is kept: filling it makes them anew.
    """
    name = CollectionName(held.collection)
    if name not in services.index.collections():
        return replace(held, probes=(), recent=())
    neighbours = {ChunkId(chunk_id) for probe in held.probes for _, chunk_id in probe["nearest"]}
    standing = services.index.fetch(name, sorted({*neighbours, *held.recent}))
    return replace(
        held,
        probes=tuple(probe for probe in held.probes if all(chunk_id in standing for _, chunk_id in probe["nearest"])),
        recent=tuple(chunk_id for chunk_id in held.recent if chunk_id in standing),
    )
