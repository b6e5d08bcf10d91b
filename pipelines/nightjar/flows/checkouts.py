"""What a collection holds: its record in the state, moved before and after the collection itself is touched."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from nightjar.artifacts import collection_key
from nightjar.errors import Misconfigured, Superseded
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.graph import RECENT, damage
from nightjar.flows.parallel import in_order
from nightjar.flows.services import Services
from nightjar.flows.versions import Version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName
from nightjar.ports import StateStore
from nightjar.registers import Entry, Register
from nightjar.stages.objects import FORM

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Writing:
    """What a run is about to write: from one version's checkout (None: from nothing) to another's."""

    source: int | None
    target: int
    run_id: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """A collection's record. While `writing` is set, the collection may hold anything between its two versions.

    `version`, `checkout` (digest) and `manifest` are of what it held when no writing was open; 0, "" and () before its
    first. `probes` are questions with their exact neighbours, for judging the graph's recall. `access` is the sequence
    of the access table up to which its objects say who may read them. `recent` are ids of the objects written last.
    `form` says how its objects were made (`nightjar.stages.objects.FORM`); the oldest records do not say it.
    """

    collection: str
    version: int = 0
    checkout: str = ""
    manifest: tuple[str, ...] = ()
    probes: tuple[Mapping[str, Any], ...] = ()
    writing: Writing | None = None
    access: int = 0
    recent: tuple[ChunkId, ...] = ()
    form: int = 1

    def holding(self, version: Version) -> Checkout:
        """The record of the collection once it is that version's checkout; other objects have other neighbours."""
        return replace(
            self,
            version=version.number,
            checkout=version.checkout,
            manifest=version.manifest,
            probes=self.probes if self.checkout == version.checkout else (),
            writing=None,
        )

    def open_to(self, version: Version, *, run_id: str) -> Checkout:
        """The record before the first object of that version is written."""
        return replace(self, writing=Writing(self.version or None, version.number, run_id))

    def after_writing(self, ids: Sequence[ChunkId]) -> Checkout:
        """The record with `ids` as its most recent objects, and the last of those before them; newest last."""
        newest_first = dict.fromkeys(reversed((*self.recent, *ids)))
        return replace(self, recent=tuple(newest_first)[:RECENT][::-1])


def read_checkout(state: StateStore, name: str) -> Entry[Checkout] | None:
    """None where this corpus's state does not know the collection."""
    return _register(state, name).read()


def move_checkout(state: StateStore, seen: Entry[Checkout] | None, checkout: Checkout) -> Entry[Checkout]:
    """Compare-and-set of the record.

    Raises:
        Superseded: somebody else moved it.
    """
    return _register(state, checkout.collection).swap(seen, checkout)


def checkouts(services: Services) -> list[Entry[Checkout]]:
    """Records of all collections of this corpus, by name; a record may outlive its collection."""
    keys = services.state.keys("collections/")
    names = (key.removeprefix("collections/").removesuffix(".json") for key in keys)
    entries = in_order(partial(read_checkout, services.state), names)
    return [entry for entry in entries if entry is not None]


def is_ours(services: Services, collection: str) -> bool:
    """Does this corpus's state know that collection?"""
    return services.state.exists(collection_key(collection))


def named_like_ours(services: Services) -> list[CollectionName]:
    """Standing collections with a name that this corpus gives its own, whether a record knows them or not."""
    pattern = re.compile(rf"{re.escape(services.corpus.alias)}_b\d+")
    return [name for name in services.index.collections() if pattern.fullmatch(name)]


def standing_checkout(
    services: Services, version: Version, *, besides: str = "", asked: int = RECENT
) -> CollectionName | None:
    """A sound collection that is this version's checkout now, whichever version it was filled for.

    Args:
        services: the corpus's doors.
        version: what it should hold.
        besides: a collection that is known not to be.
        asked: for how many of the objects written last its vector index is asked, too.
    """
    standing = services.index.collections()
    for entry in checkouts(services):
        held, name = entry.value, CollectionName(entry.value.collection)
        if name not in standing or name == besides:
            continue
        whole = held.writing is None and held.checkout == version.checkout and held.form == FORM
        if not whole or services.index.count(name) != version.counts["chunks"]:
            continue
        if not asked or damage(services, name, held.recent[-asked:]) is None:
            return name
    return None


def claim_collection(services: Services, version: Version) -> CollectionName:
    """Number the next build; its record stands, with what is about to be written, before the collection does.

    A run that claimed one for this version before a crash gets it back.
    """
    claim = Writing(None, version.number, version.run_id)
    for entry in checkouts(services):
        if entry.value.writing == claim:
            return CollectionName(entry.value.collection)
    prefix = f"{services.corpus.alias}_b"
    builds = [key.removesuffix(".json").rpartition("_b")[2] for key in services.state.keys("collections/")]
    standing = [name.removeprefix(prefix) for name in services.index.collections() if name.startswith(prefix)]
    number = max((int(build) for build in [*builds, *standing] if build.isdigit()), default=0) + 1
    name = f"{prefix}{number:04d}"
    move_checkout(services.state, None, Checkout(name, form=FORM).open_to(version, run_id=version.run_id))
    return CollectionName(name)


def open_writing(services: Services, name: str, version: Version, *, run_id: str) -> Entry[Checkout]:
    """State before the world: say in the record that the collection is on its way to `version`; again after a crash.

    Raises:
        Superseded: another run is writing to it.
        Misconfigured: the collection has no record.
    """
    entry = _known(services, name)
    writing = entry.value.writing
    if writing is not None:
        if (writing.target, writing.run_id) == (version.number, run_id):
            return entry
        raise Superseded(f"run {writing.run_id} is writing version {writing.target} to {name}: trigger a new run")
    return move_checkout(services.state, entry, entry.value.open_to(version, run_id=run_id))


def close_writing(
    services: Services,
    name: str,
    version: Version,
    *,
    probes: Any | None = None,
    access: int | None = None,
    recent: Sequence[ChunkId] = (),
) -> None:
    """The collection is that version's checkout, and nothing is under way."""
    entry = _known(services, name)
    held = entry.value.holding(version).after_writing(recent)
    held = held if access is None else replace(held, access=access)
    move_checkout(services.state, entry, held if probes is None else replace(held, probes=tuple(probes)))


def remember_recent(services: Services, name: str, ids: Sequence[ChunkId]) -> None:
    """Keep which objects were written last, so that whoever trusts the collection can ask its vector index for them."""
    entry = _known(services, name)
    if (held := entry.value.after_writing(ids)) != entry.value:
        move_checkout(services.state, entry, held)


def drop_collection(services: Services, name: str, *, lease: Lease) -> None:
    """Remove a collection, then its record: in this order, so that a crash leaves a record and never an orphan."""
    lease.assure(REQUEST_S)
    if name in services.index.collections():
        services.index.drop(CollectionName(name))
    services.state.delete([collection_key(name)])


def let_go(services: Services, name: str, *, lease: Lease) -> bool:
    """Remove a collection that no version needs; False where an alias of other days names it: people may use that."""
    try:
        drop_collection(services, name, lease=lease)
    except Misconfigured as served:
        log.warning("kept: %s, or delete that alias once nobody uses it", served)
        return False
    return True


def _known(services: Services, name: str) -> Entry[Checkout]:
    entry = read_checkout(services.state, name)
    if entry is None:
        raise Misconfigured(
            f"the state object {collection_key(name)} is missing although {name} is used: restore it from a backup"
        )
    return entry


def _register(state: StateStore, name: str) -> Register[Checkout]:
    return Register(state, collection_key(name), _encoded, _decoded)


def _encoded(checkout: Checkout) -> dict[str, Any]:
    writing = checkout.writing
    told = {"from": writing.source, "to": writing.target, "run": writing.run_id} if writing else None
    return {
        **asdict(checkout),
        "manifest": list(checkout.manifest),
        "probes": [dict(probe) for probe in checkout.probes],
        "recent": list(checkout.recent),
        "writing": told,
    }


def _decoded(fields: Mapping[str, Any]) -> Checkout:
    writing = fields["writing"]
    return Checkout(
        collection=fields["collection"],
        version=fields.get("version") or 0,
        checkout=fields.get("checkout") or "",
        manifest=tuple(fields.get("manifest") or ()),
        probes=tuple(fields.get("probes") or ()),
        writing=Writing(writing["from"], writing["to"], writing["run"]) if writing else None,
        access=fields.get("access") or 0,
        recent=tuple(fields.get("recent") or ()),
        form=fields.get("form", 1),
    )
