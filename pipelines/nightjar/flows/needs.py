"""What stands on what: which versions stay, and every key that they and the corpus's records need."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import (
    ELEMENTS_PREFIX,
    VECTORS_PREFIX,
    WITHHELD,
    collection_key,
    content_keys,
    run_key,
    version_key,
)
from nightjar.flows.checkouts import Checkout, checkouts
from nightjar.flows.manifests import load_manifest
from nightjar.flows.parallel import in_order
from nightjar.flows.records import record
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_live, read_versions
from nightjar.stages.garbage import Kept, beyond_retention
from nightjar.stages.states import State

_OVER = (State.RETIRED, State.REJECTED, State.ABANDONED, State.ROLLED_BACK)
_OF_A_RUN = ("run.json", "report.json")  # what `show` tells of a version's run, and how it would be built anew


@dataclass(frozen=True, slots=True)
class Needs:
    """Needed keys, by the folder that they lie in; `of_runs` are those of runs, which go as whole folders."""

    by_kind: Mapping[str, pa.Array]
    of_runs: pa.Array


def retained(services: Services, *, old: Collection[str]) -> tuple[list[Version], frozenset[int]]:
    """Versions that stay, and numbers of those that retention lets go; `old` names folders that are a week old."""
    versions = read_versions(services.state)
    pinned = _pinned(services)
    facts = [
        Kept(
            number=version.number,
            was_live=version.promoted_at is not None,
            pinned=version.number in pinned
            or version.state not in _OVER
            or version_key(version.number).split("/")[1] not in old,
        )
        for version in versions
    ]
    gone = beyond_retention(facts, keep=services.corpus.index.keep_versions)
    return [version for version in versions if version.number not in gone], gone


def _pinned(services: Services) -> set[int | None]:
    """What is live or about to be, and what a standing collection holds or is being brought from or to."""
    live = read_live(services.state)
    pinned: set[int | None] = {live.version, live.returning_to} if live else set()
    for held in _standing(services):
        pinned.add(held.version)
        if held.writing is not None:
            pinned |= {held.writing.source, held.writing.target}
    return pinned


def _standing(services: Services) -> list[Checkout]:
    """Records of collections that stand, of the live one whether it does or not, and of those with an open writing."""
    live, standing = read_live(services.state), set(services.index.collections())
    held = [entry.value for entry in checkouts(services)]
    named = {live.collection} if live else set()
    return [each for each in held if each.writing is not None or each.collection in standing | named]


def needs_of(services: Services, kept: Iterable[Version]) -> Needs:
    """Every key that the kept versions and the records of collections and of withheld deletions need.

    Raises:
        Misconfigured: a manifest is missing or damaged.
    """
    kept, standing = list(kept), _standing(services)
    manifests = {key for version in kept for key in version.manifest}
    manifests |= {key for held in standing for key in held.manifest}
    elements, vectors = _contents(services, sorted(manifests))
    withheld = record(services.state, WITHHELD).read()
    lists = [withheld.value["list"]] if withheld and withheld.value["list"] else []
    return Needs(
        by_kind={
            "elements": elements,
            "vectors": vectors,
            "manifests": _texts(manifests),
            "withheld": _texts(lists),
            "collections": _texts(collection_key(held.collection) for held in standing),
        },
        of_runs=_texts(run_key(version.run_id, name) for version in kept for name in _OF_A_RUN),
    )


def _contents(services: Services, manifests: list[str]) -> tuple[pa.Array, pa.Array]:
    """Keys of elements and of vectors that rows of these buckets name, quarantined documents' elements as well."""
    elements, vectors = [_texts(())], [_texts(())]
    for rows in in_order(lambda key: load_manifest(services.state, [key]), manifests):
        elements += _keys(rows, ELEMENTS_PREFIX, recipe="parse_recipe", content="content_key")
        elements += _keys(rows, ELEMENTS_PREFIX, recipe="attempted_parse", content="attempted_content")
        vectors += _keys(rows, VECTORS_PREFIX, recipe="embed_recipe", content="content_key")
    return pc.unique(pa.concat_arrays(elements)), pc.unique(pa.concat_arrays(vectors))


def _keys(rows: pa.Table, prefix: str, *, recipe: str, content: str) -> Iterator[pa.Array]:
    yield from content_keys(prefix, recipes=rows[recipe], contents=rows[content]).drop_null().chunks


def _texts(values: Iterable[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())
