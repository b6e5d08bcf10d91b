"""What is known of a document besides its text: typed metadata fields, and the groups that may read it.

Four places may say something; the nearest to the document wins, field by field:
    the corpus file's `fixed` < the path < the object's own metadata (`x-amz-meta-*`) < its sidecar.
A value that does not fit its field's type is set aside, and what a farther place says stands.

A sidecar is a JSON mapping, `<key>.metadata.json` beside the object:
    {"department": "hr", "year": 2024, "reviewed": "2024-05-01", "acl": ["hr", "managers"]}
`null` means "nothing to say". `acl` lists groups, an empty list nobody; the path and the object's metadata may name
groups too (`acl`, separated by commas). Where nothing nearer does, the corpus file's `metadata.acl` holds.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final

from nightjar.model import FieldValue
from nightjar.patterns import path_expression

_ACL: Final = "acl"
_SIDECAR: Final = "sidecar"
_INT64: Final = 1 << 63
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_LONGEST_NUMBER: Final = 20  # digits; more cannot fit 64 bits, and reading them takes time


@dataclass(frozen=True, slots=True)
class MetadataRules:
    """A corpus's `metadata` block.

    `fields` maps a name to text, text[], int, number, bool or date; `from_path` is a pattern with `{name}`s or None;
    `acl` the default groups, None where the corpus file does not say; `acl_declared` that some document of the corpus
    has an ACL of its own, so that one without is withheld rather than open.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, object] = field(default_factory=dict)
    from_path: str | None = None
    sidecar: bool = True
    acl: tuple[str, ...] | None = None
    acl_declared: bool = False


@dataclass(frozen=True, slots=True)
class Enriched:
    """A document's metadata.

    `acl`: None means that the corpus knows no ACLs; () that nobody may read it, and then `acl_withheld` is true.
    `acl_unreadable`: what says who may read it cannot be read. The last known ACL stays; where there is none, withheld.
    `set_aside`: (field, why) of each value not taken; no value is quoted.
    """

    fields: Mapping[str, FieldValue]
    acl: tuple[str, ...] | None
    acl_withheld: bool
    acl_unreadable: bool
    set_aside: tuple[tuple[str, str], ...]


def enrich(
    *, key: str, object_metadata: Mapping[str, str], sidecar: bytes | None, rules: MetadataRules
) -> Enriched:
    """Fields and ACL of one document.

    Args:
        key: relative to the source prefix; what `from_path` is matched against.
        object_metadata: undeclared names in it are other people's and ignored.
        sidecar: its bytes, None where there is none, b"" where it stands but could not be read.
        rules: the corpus's.
    """
    beside = _sidecar_values(sidecar) if rules.sidecar and sidecar is not None else {}
    places = (rules.fixed, _path_values(key, rules.from_path), _own_values(object_metadata), beside or {})
    fields: dict[str, FieldValue] = {}
    aside = [(_SIDECAR, "is not a JSON mapping of 2 MB at most")] if beside is None else []
    aside += [(name, "is not declared in metadata.fields") for name in beside or {} if name not in {*rules.fields, _ACL}]
    for place in places:
        aside += _laid_over(fields, place, rules.fields)
    groups = _groups(places[1:], rules)
    unreadable = beside is None or isinstance(groups, str)
    if isinstance(groups, str):
        aside.append((_ACL, groups))
    acl = () if unreadable or isinstance(groups, str) else groups
    return Enriched(fields, acl, acl == (), unreadable, tuple(aside))
