"""Weaviate against the checked-out manifest, both ways, every object; mended from stored state where asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from nightjar.errors import HeldBack, Misconfigured
from nightjar.flows.access import read_access
from nightjar.flows.checkouts import (
    Checkout,
    move_checkout,
    read_checkout,
)
from nightjar.flows.erased import open_erasures, read_erased
from nightjar.flows.fence import REQUEST_S, holding
from nightjar.flows.graph import damage, finds, told
from nightjar.flows.objects import checkout, due_rows, schema_of
from nightjar.flows.parallel import windows
from nightjar.flows.rebuilding import rebuild_buckets
from nightjar.flows.restoring import name_collection, restore
from nightjar.flows.services import Services
from nightjar.flows.tidying import tidy
from nightjar.flows.versions import Live, Version, live_entry, read_live, read_version
from nightjar.lease import Lease
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.owner import Owner
from nightjar.stages.objects import FORM
from nightjar.stages.states import State

log = logging.getLogger(__name__)
_EXAMPLES: Final = 20
_LOOKS: Final = 3
_ASKED: Final = 1_000  # objects whose own vector must find them, besides those written last
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Findings:
    """Ids of chunks by what is wrong with them, and sentences about the collection, its record and the alias.

    `deaf`: the vector index does not find what stands. `rebuilt` documents had a manifest row that was lost and is made
    again; `given_up` versions had some that nothing tells of any more.
    """

    version: int
    missing: tuple[ChunkId, ...] = ()
    orphan: tuple[ChunkId, ...] = ()
    wrong_vector: tuple[ChunkId, ...] = ()
    wrong_properties: tuple[ChunkId, ...] = ()
    problems: tuple[str, ...] = ()
    repaired: int = 0
    deaf: bool = False
    rebuilt: int = 0
    given_up: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """The index is the manifest's checkout, object by object."""
        return not any((self.missing, self.orphan, self.wrong_vector, self.wrong_properties, self.problems))

    def as_json(self, corpus: str) -> dict[str, Any]:
        """The promised shape of `audit --json`."""
        kinds = ("missing", "orphan", "wrong_vector", "wrong_properties")
        found = {kind: ids for kind, ids in asdict(self).items() if kind in kinds}
        return {
            "format": 1,
            "corpus": corpus,
            "version": self.version,
            "ok": self.ok,
            **{kind: len(ids) for kind, ids in found.items()},
            "repaired": self.repaired,
            "rebuilt": self.rebuilt,
            "given_up": list(self.given_up),
            "problems": list(self.problems),
            "examples": {kind: sorted(ids)[:_EXAMPLES] for kind, ids in found.items()},
        }


def audit(services: Services) -> Findings:
    """Compare every object; takes no lease and changes nothing, so that a run may be under way.

    Raises:
        HeldBack: a run is writing to the live collection, so that a difference would prove nothing.
        Misconfigured: nothing is live, or a state object that the manifest names is gone or damaged; it is named.
    """
    for _ in range(_LOOKS):
        before = _moment(services)
        try:
            found = _compare(services)
        except Misconfigured:
            if _moment(services) == before:
                raise
            continue  # the collection was retired while it was read
        if _moment(services) == before:
            log.info("audited version=%d ok=%s problems=%d", found.version, found.ok, len(found.problems))
            return found
    raise HeldBack(f"corpus {services.corpus.name} was changed by a run each time it was read: audit it again later")


def repair(services: Services, *, run_id: str, owner: Owner) -> Findings:
    """Make lost manifest buckets again, mend what differs from stored vectors, under the lease, and audit again.

    Raises:
        HeldBack: another run is at work.
        Misconfigured: what is needed is gone from the state, or the alias belongs to somebody else.
    """
    with holding(services, run_id=run_id, owner=owner) as (fenced, lease):
        return _repaired(fenced, actor=owner.name, lease=lease)


def _repaired(services: Services, *, actor: str, lease: Lease) -> Findings:
    live = _live(services)
    rebuilt = rebuild_buckets(services, lease=lease, actor=actor)
    _set_record_right(services, live)
    tidy(services, actor=actor, lease=lease)
    live = _live(services)
    _set_record_right(services, live)  # a writing that could not be ended leaves none
    mended = 0
    if live.collection not in services.index.collections():
        mended = restore(services, live, lease=lease, actor=actor)
    name_collection(services, _live(services))
    found = _compare(services)
    if found.deaf:
        mended += restore(services, _live(services), lease=lease, actor=actor)
        found = _compare(services)
    mended += _mend(services, found, lease=lease)
    log.info("repaired version=%d objects=%d", found.version, mended)
    return replace(audit(services), repaired=mended, rebuilt=rebuilt.documents, given_up=rebuilt.given_up)


def _live(services: Services) -> Live:
    live = read_live(services.state)
    if live is None:
        raise Misconfigured(
            f"{services.corpus.name} has nothing live to audit: `nightjar run {services.corpus.name}` makes a version"
        )
    return live


def _moment(services: Services) -> tuple[str, str, int]:
    """Equal before and after a reading: nobody promoted or closed anything, and nobody began or ended a writing."""
    entry, live = live_entry(services.state), _live(services)
    version = read_version(services.state, live.version)
    if version.state is not State.LIVE or version.collection != live.collection:
        name = services.corpus.name
        raise HeldBack(
            f"people of {name} are being sent to version {live.version} in {live.collection}: audit again when that is"
            f" over; if its run is no more, `nightjar audit {name} --repair` ends it"
        )
    if open_erasures(read_erased(services.state)):
        raise HeldBack(f"documents of {services.corpus.name} are being erased: audit again when that is over")
    held = read_checkout(services.state, live.collection)
    if held is not None and (writing := held.value.writing) is not None:
        name = services.corpus.name
        raise HeldBack(
            f"run {writing.run_id} is writing version {writing.target} to {live.collection}: audit again when it is"
            f" over; if it is no more, `nightjar audit {name} --repair` ends what it left"
        )
    access = read_access(services)
    if held is not None and held.value.access < access.sequence and access.since(held.value.access):
        raise HeldBack(f"who may read what of {services.corpus.name} is being changed: audit again when that is over")
    return entry.nonce if entry else "", held.nonce if held else "", access.sequence


def _compare(services: Services) -> Findings:
    live = _live(services)
    version = read_version(services.state, live.version)
    found = Findings(live.version, problems=tuple(_problems(services, live, version)))
    due = {_packed(each.chunk_id): _signed(each) for each in _due(services, version)}
    if live.collection not in services.index.collections():
        return replace(found, missing=tuple(map(_unpacked, due)))
    orphan, vectors, properties = [], [], []
    name, every, asked, heard = CollectionName(live.collection), len(due) // _ASKED + 1, 0, 0
    for place, standing in enumerate(services.index.scan(name, vectors=True)):
        if place % every == 0:
            asked += 1
            heard += finds(services, name, standing)
        wanted, is_now = due.pop(_packed(standing.chunk_id), None), _signed(standing)
        if wanted is None:
            orphan.append(standing.chunk_id)
        elif wanted[:16] != is_now[:16]:
            vectors.append(standing.chunk_id)
        elif wanted != is_now:
            properties.append(standing.chunk_id)
    entry = read_checkout(services.state, name)
    lost = told(name, found=heard, asked=asked) or damage(services, name, entry.value.recent if entry else ())
    return replace(
        found,
        deaf=lost is not None,
        problems=(*found.problems, lost) if lost else found.problems,
        missing=tuple(map(_unpacked, due)),
        orphan=tuple(orphan),
        wrong_vector=tuple(vectors),
        wrong_properties=tuple(properties),
    )


def _due(services: Services, version: Version) -> Iterator[IndexObject]:
    return checkout(services, due_rows(services, version))


def _packed(chunk_id: ChunkId) -> bytes:
    """Sixteen bytes an id and 32 for its digests: a million chunks need some 250 MB."""
    return UUID(chunk_id).bytes


def _unpacked(packed: bytes) -> ChunkId:
    return ChunkId(str(UUID(bytes=packed)))


def _signed(each: IndexObject) -> bytes:
    """Half of the vector's digest, then half of the properties'."""
    return bytes.fromhex(each.vector_digest[:32] + each.properties_digest[:32])


def _problems(services: Services, live: Live, version: Version) -> Iterator[str]:
    entry = read_checkout(services.state, live.collection)
    target = services.index.alias(services.corpus.alias)
    if live.collection not in services.index.collections():
        yield f"collection {live.collection} is gone"
    if entry is None or entry.value.checkout != version.checkout:
        yield f"the record of collection {live.collection} does not name version {live.version}"
    if target != live.collection:
        yield f"the alias {services.corpus.alias} names {target or 'nothing'} and not {live.collection}"


def _set_record_right(services: Services, live: Live) -> None:
    """Before anything trusts it; what the collection itself holds is compared and mended afterwards."""
    entry, version = read_checkout(services.state, live.collection), read_version(services.state, live.version)
    if entry is None and live.collection in services.index.collections():
        move_checkout(services.state, None, Checkout(live.collection, form=FORM).holding(version))
    elif entry is not None and entry.value.writing is None and entry.value.checkout != version.checkout:
        move_checkout(services.state, entry, entry.value.holding(version))


def _mend(services: Services, found: Findings, *, lease: Lease) -> int:
    """What is missing or wrong is written and confirmed before orphans go; how many objects were touched."""
    live = _live(services)
    name, version = CollectionName(live.collection), read_version(services.state, live.version)
    wrong = {*found.missing, *found.wrong_vector, *found.wrong_properties}
    if wrong:
        services.index.extend(name, schema_of(services, version).properties)
        for batch in windows((each for each in _due(services, version) if each.chunk_id in wrong), size=_BATCH):
            lease.assure(REQUEST_S)
            services.index.write(name, batch)
    for ids in windows(found.orphan, size=_BATCH):
        lease.assure(REQUEST_S)
        services.index.delete(name, ids)
    return len(wrong) + len(found.orphan)
