"""Bring what is known of access into the collections: each standing one, also under a hold and after a rollback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from nightjar.flows.access import Access
from nightjar.flows.checkouts import checkouts, move_checkout
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.parallel import windows
from nightjar.flows.points import Point
from nightjar.flows.services import Services
from nightjar.lease import Lease
from nightjar.model import CollectionName, FieldValue, IndexObject

log = logging.getLogger(__name__)
_DOCUMENTS: Final = 100
_OBJECTS: Final = 500


def spread_access(services: Services, access: Access, *, lease: Lease) -> None:
    """Patch the objects of every standing collection whose record says that it is behind.

    A collection that is being filled for the first time is left out: nobody searches it, and it is filled anew with
    what holds then.
    """
    standing = services.index.collections()
    for entry in checkouts(services):
        held = entry.value
        filling = held.writing is not None and held.writing.source is None
        if filling or held.access >= access.sequence or held.collection not in standing:
            continue
        patched = _patch(services, CollectionName(held.collection), access, since=held.access, lease=lease)
        move_checkout(services.state, entry, replace(held, access=access.sequence))
        log.info("spread access=%d collection=%s objects=%d", access.sequence, held.collection, patched)
    services.passing(Point.ACCESS_SPREAD)


def _patch(services: Services, name: CollectionName, access: Access, *, since: int, lease: Lease) -> int:
    """The same vectors, so that the index does no graph work."""
    place = dict(zip(access.rows["document_id"].to_pylist(), access.rows["acl"].to_pylist(), strict=True))

    def stale(documents: list[str]) -> Iterator[IndexObject]:
        for each in services.index.of_documents(name, documents):
            groups = place[str(each.properties["document_id"])]
            due: FieldValue | None = None if groups is None else tuple(groups)
            patched = replace(each, properties={**each.properties, "acl": due})
            if patched.properties_digest != each.properties_digest:
                yield patched

    total = 0
    for documents in windows(access.since(since), size=_DOCUMENTS):
        for behind in windows(stale(documents), size=_OBJECTS):
            lease.assure(REQUEST_S)
            total += services.index.write(name, behind)
    return total
