"""Version records and the pointer to the live one: all moves by compare-and-set, each with time and actor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from nightjar.artifacts import FORMAT, LIVE, SWEEP, version_key
from nightjar.errors import Misconfigured, Superseded
from nightjar.flows.parallel import in_order
from nightjar.flows.records import RecordEntry, record
from nightjar.ports import StateStore
from nightjar.registers import Moved
from nightjar.stages.states import State, moved

_NUMBER: Final = re.compile(r"versions/(\d{6})/version\.json$")


@dataclass(frozen=True, slots=True)
class Live:
    """What people search: the commit that the alias is only a projection of.

    `held`: runs build and judge, and promote nothing. `returning_to` is the version that a rollback under way goes to:
    runs end when they see it, and whoever comes next finishes it. `held_by` and `held_at` say who stopped promotions.
    `commits` counts promotions, rollbacks and changes of collection, so that a number that is live again is told from
    one that stayed; a hold is none.
    """

    version: int
    collection: str
    run_id: str
    promoted_at: str
    held: bool = False
    held_reason: str = ""
    returning_to: int | None = None
    held_by: str = ""
    held_at: str = ""
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """One index version: a manifest, where it is checked out, and how it came to be what it is.

    `strategy` is how it got into its collection (`stages.strategy`), '' before that was decided. `promoted_by` is the
    person who decided to promote it, '' where nobody did; `rebuilds` the version that it was made in place of.
    `judged_by` names the gates' rules; '' where a rejection says nothing of the content. `seen` is its record as it was
    read or saved last, without the fields: saving is a compare-and-set from there.
    """

    number: int
    run_id: str
    parent: int | None
    recipe: str
    created_at: str
    state: State = State.BUILDING
    manifest: tuple[str, ...] = ()
    checkout: str = ""
    collection: str | None = None
    strategy: str = ""
    promoted_at: str | None = None
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    documents: Mapping[str, int] = field(default_factory=dict)
    deletions_approved: int = 0
    verdicts: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    recipe_parts: Mapping[str, Any] = field(default_factory=dict)
    metadata_rules: str = ""
    history: tuple[Mapping[str, str], ...] = ()
    promoted_by: str = ""
    rebuilds: int | None = None
    judged_by: str = ""
    seen: RecordEntry | None = field(default=None, compare=False, repr=False)

    def enter(self, state: State, *, at: datetime, actor: str, reason: str = "") -> Version:
        """The same version in another state, the move written into its history."""
        moved(self.state, state)
        step = {"state": str(state), "at": at.isoformat(), "actor": actor, "reason": reason}
        return replace(self, state=state, reason=reason or self.reason, history=(*self.history, step))


def _decode(entry: RecordEntry) -> Version:
    known = {k: v for k, v in entry.value.items() if k in Version.__dataclass_fields__}
    known["state"] = State(known["state"])
    known["manifest"] = tuple(known["manifest"])
    known["history"] = tuple(known["history"])
    return Version(**known, seen=_without_fields(entry))


def _without_fields(entry: RecordEntry) -> RecordEntry:
    return replace(entry, value={})


def fields_of(version: Version) -> dict[str, Any]:
    """What its record says, without what belongs to the record itself."""
    fields = asdict(version)
    del fields["seen"]
    return fields


def _encode(version: Version) -> dict[str, Any]:
    return {"format": FORMAT, **fields_of(version)}


def version_numbers(state: StateStore) -> list[int]:
    """All numbers ever given, ascending; one listing."""
    found = (_NUMBER.search(key) for key in state.keys("versions/"))
    return sorted(int(match[1]) for match in found if match)


def read_version(state: StateStore, number: int) -> Version:
    """One version's record.

    Raises:
        Misconfigured: there is no such version.
    """
    entry = record(state, version_key(number)).read()
    if entry is None:
        raise Misconfigured(f"there is no version {number}: `nightjar versions` lists those that exist")
    return _decode(entry)


def read_versions(state: StateStore) -> list[Version]:
    """All versions, newest first."""
    return list(in_order(partial(read_version, state), reversed(version_numbers(state))))


def open_version(state: StateStore, version: Version) -> Version:
    """Claim the next free number for `version`; a run that claimed one already gets it back."""
    numbers = version_numbers(state)
    if numbers and (newest := read_version(state, numbers[-1])).run_id == version.run_id:
        return newest
    number = max([highest_swept(state), *numbers]) + 1
    return _swapped(state, replace(version, number=number, seen=None))


def highest_swept(state: StateStore) -> int:
    """The highest number that a sweep saw, 0 before the first: numbers are never reused, whatever was swept since."""
    entry = record(state, SWEEP).read()
    return entry.value["highest_version"] if entry else 0


def save_version(state: StateStore, version: Version) -> Version:
    """Replace the version's record by `version`, which was read from it or saved in it last; as it stands now.

    Raises:
        Superseded: somebody else changed it in between.
    """
    try:
        return _swapped(state, version)
    except Moved as error:
        raise Superseded(f"version {version.number} was changed by another run meanwhile: trigger a new one") from error


def _swapped(state: StateStore, version: Version) -> Version:
    entry = record(state, version_key(version.number)).swap(version.seen, _encode(version))
    return replace(version, seen=_without_fields(entry))


def keep_seconds(state: StateStore, number: int, seconds: Mapping[str, float]) -> None:
    """Say in a version's cost what its stages took, whatever its state by now.

    Whoever moves the record at the same moment wins: figures are not worth an error.
    """
    register = record(state, version_key(number))
    entry = register.read()
    if entry is None:
        return
    version = _decode(entry)
    with suppress(Superseded):
        register.swap(entry, _encode(replace(version, cost={**version.cost, "seconds": dict(seconds)})))


def read_live(state: StateStore) -> Live | None:
    """What is live; None on a corpus that never was.

    Raises:
        Misconfigured: `live.json` is missing while versions have been live: an error, not a first night.
    """
    return seen_live(state)[1]


def seen_live(state: StateStore) -> tuple[RecordEntry | None, Live | None]:
    """What is live, with what to hand to `write_live` for a move from exactly there.

    Raises:
        Misconfigured: as `read_live` says.
    """
    entry = live_entry(state)
    if entry is not None:
        return entry, Live(**{k: v for k, v in entry.value.items() if k in Live.__dataclass_fields__})
    once_live = [v.number for v in read_versions(state) if v.promoted_at]
    if once_live:
        raise Misconfigured(
            f"{LIVE} is missing although version {once_live[0]} was live: restore that object from the state bucket"
        )
    return None, None


def is_made_from(version: Version, live: Live | None) -> bool:
    """Nobody went live since, so that the version can be what people search next, as it is."""
    return version.parent == (live.version if live else None)


def commits_of(live: Live | None) -> int:
    """How often what people search was moved, 0 before the first time."""
    return live.commits if live else 0


def live_entry(state: StateStore) -> RecordEntry | None:
    """The register behind `read_live`, for a compare-and-set."""
    return record(state, LIVE).read()


def write_live(state: StateStore, live: Live, *, expected: RecordEntry | None) -> None:
    """Make `live` the truth: the commit of a promotion.

    Raises:
        Superseded: it moved since `expected` was read.
    """
    record(state, LIVE).swap(expected, {"format": FORMAT, **asdict(live)})
