"""Is the live collection what its record says it is?"""

from __future__ import annotations

from nightjar.flows.checkouts import read_checkout
from nightjar.flows.graph import damage
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, read_version
from nightjar.model import CollectionName
from nightjar.plural import counted
from nightjar.stages.objects import FORM


def disagreement(services: Services, live: Live | None) -> str | None:
    """Why the live collection cannot be trusted to be its version's checkout, or None."""
    if live is None:
        return None
    version = read_version(services.state, live.version)
    checked_out = read_checkout(services.state, live.collection)
    if live.collection not in services.index.collections():
        return f"collection {live.collection} is gone"
    if checked_out is None or checked_out.value.checkout != version.checkout:
        return f"the record of collection {live.collection} does not name version {live.version}"
    if checked_out.value.form != FORM:
        return f"collection {live.collection} holds objects as an earlier release made them"
    count = services.index.count(CollectionName(live.collection))
    if count != version.counts["chunks"]:
        return (
            f"collection {live.collection} holds {counted(count, 'object')},"
            f" version {live.version} has {version.counts['chunks']:,}"
        )
    return damage(services, CollectionName(live.collection), checked_out.value.recent)
