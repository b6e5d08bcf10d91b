"""What is known of a document besides its text: typed metadata fields, and the groups that may read it.

Four places may say something; the nearest to the document wins, field by field:
    the corpus file's `fixed` < the path < the object's own metadata (`x-amz-meta-*`) < its sidecar.
A value that does not fit its field's kind is set aside, and what a farther place says stands.

A sidecar is a JSON mapping of at most 64 KiB, `<key>.metadata.json` beside the object:
    {"department": "hr", "year": 2024, "reviewed": "2024-05-01", "acl": ["hr", "managers"]}
`null` means "nothing to say here". `acl` lists groups, an empty list nobody; the object's metadata may name groups too
(`acl`, separated by commas). Where neither does, the corpus file's `metadata.acl` holds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from re import Pattern
from typing import Final, TypedDict

from nightjar.errors import bounded
from nightjar.kinds import Unfit, typed
from nightjar.model import FieldValue
from nightjar.patterns import path_expression

LARGEST_SIDECAR: Final = 64 * 1024
"""Bytes. Every chunk carries its document's fields, and an index answers with hundreds of objects at a time."""

_ACL: Final = "acl"
_SIDECAR: Final = "sidecar"
_LONGEST_NAME: Final = 80
_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class MetadataRules:
    """A corpus's `metadata` block.

    `fields` maps a name to its kind (`nightjar.kinds`); `from_path` is a pattern with `{name}`s, or None; `acl` are the
    default groups, None where the corpus file does not say.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, object] = field(default_factory=dict)
    from_path: str | None = None
    sidecar: bool = True
    acl: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Enriched:
    """A document's metadata.

    `acl` is sorted; None where the corpus knows no ACLs; () where nobody may read it, and `acl_withheld` says the same.
    `acl_unreadable`: who may read it is written down and cannot be read: its last known ACL stays; without one, nobody.
    `set_aside` holds (field, why) for each value not taken and quotes none.
    """

    fields: Mapping[str, FieldValue]
    acl: tuple[str, ...] | None
    acl_unreadable: bool
    set_aside: tuple[tuple[str, str], ...]

    @property
    def acl_withheld(self) -> bool:
        """Nobody may read it."""
        return self.acl == ()


class SetAside(TypedDict):
    """How many `values` of one field were not taken for one reason; field and why are '' of those not listed singly."""

    field: str
    why: str
    values: int


def enrich(*, key: str, object_metadata: Mapping[str, str], sidecar: bytes | None, rules: MetadataRules) -> Enriched:
    """Fields and ACL of one document.

    Args:
        key: relative to the source prefix; `from_path` is matched against all of it.
        object_metadata: names as S3 gives them, in lower case; `-` counts as `_`; undeclared names are ignored.
        sidecar: its bytes, None where there is none, b"" where one stands that could not be read.
        rules: the corpus's.
    """
    beside = _beside(sidecar) if rules.sidecar and sidecar is not None else {}
    near = (_of_path(key, rules.from_path), _own(object_metadata, rules.fields), beside or {})
    fields: dict[str, FieldValue] = {}
    aside = [*_undeclared(beside, rules.fields)]
    for place in (rules.fixed, *near):
        aside += _lay_over(fields, place, rules.fields)
    try:
        acl, unreadable = _groups(near, rules), beside is None
    except Unfit as error:
        aside.append((_ACL, str(error)))
        acl, unreadable = (), True
    return Enriched(fields, () if unreadable else acl, unreadable, tuple(aside))


def names_groups(*, object_metadata: Mapping[str, str] | None, sidecar: bytes | None) -> bool | None:
    """The document itself says who may read it, readably or not; False: it leaves that to the corpus file's rules.

    None where its object's metadata (None) could not be read, and its sidecar does not say.
    """
    beside = {} if sidecar is None else _beside(sidecar)
    if beside is None or beside.get(_ACL) is not None:
        return True
    return None if object_metadata is None else _ACL in _own(object_metadata, {})


def tally_set_aside(found: Iterable[Enriched]) -> list[SetAside]:
    """What was set aside of many documents, the most frequent first; what follows the 20th is one number."""
    counted = Counter(each for one in found for each in one.set_aside)
    listed = [SetAside(field=name, why=why, values=count) for (name, why), count in counted.most_common(_LISTED)]
    rest = counted.total() - sum(each["values"] for each in listed)
    return [*listed, SetAside(field="", why="", values=rest)] if rest else listed


def told_set_aside(tally: Sequence[SetAside]) -> str:
    """`values set aside: 12 of "year" (is not a whole number), 1 of …`; '' where nothing was."""
    parts = [f'{each["values"]:,} of "{each["field"]}" ({each["why"]})' for each in tally if each["field"]]
    others = [f"{each['values']:,} others" for each in tally if not each["field"]]
    return f"values set aside: {', '.join([*parts, *others])}" if tally else ""


def _beside(sidecar: bytes) -> dict[str, object] | None:
    try:
        values = json.loads(sidecar)
    except (ValueError, RecursionError):  # not JSON, not text, or nested without end
        return None
    return values if isinstance(values, dict) else None


def _of_path(key: str, pattern: str | None) -> Mapping[str, object]:
    found = _compiled(pattern).fullmatch(key) if pattern else None
    return found.groupdict() if found else {}


def _own(object_metadata: Mapping[str, str], kinds: Mapping[str, str]) -> Mapping[str, object]:
    """By field name: HTTP headers have neither upper case nor (in many clients) underscores."""
    own = {name.lower().replace("-", "_"): value for name, value in object_metadata.items()}
    return {name: own[name.lower()] for name in (*kinds, _ACL) if name.lower() in own}


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Pattern[str]:
    return path_expression(pattern)


def _undeclared(beside: Mapping[str, object] | None, kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if beside is None:
        yield _SIDECAR, f"is not readable as a JSON mapping of at most {LARGEST_SIDECAR // 1024} KiB"
        return
    for name in beside:
        if name not in kinds and name != _ACL:
            yield bounded(name, limit=_LONGEST_NAME), "is not declared in metadata.fields"


def _lay_over(
    fields: dict[str, FieldValue], place: Mapping[str, object], kinds: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Write what a nearer place says over what stands; yields what does not fit."""
    for name, kind in kinds.items():
        value = place.get(name)
        if value is None:
            continue
        try:
            fields[name] = typed(value, kind=kind)
        except Unfit as error:
            yield name, str(error)


def _groups(near: tuple[Mapping[str, object], ...], rules: MetadataRules) -> tuple[str, ...] | None:
    for place in reversed(near):
        if place.get(_ACL) is not None:
            return _named(place[_ACL])
    return None if rules.acl is None else _named(rules.acl)


def _named(value: object) -> tuple[str, ...]:
    groups = typed(value, kind="text[]")
    if not isinstance(groups, tuple) or not all(groups):
        raise Unfit("names a group without a name")
    if any(letter < " " for group in groups for letter in group):
        raise Unfit("names a group with control characters")
    return tuple(sorted(set(groups)))
