"""What a chunk's object carries in a collection: which properties exist, and whether an index will find it again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final, cast

import numpy as np

from nightjar.errors import Misconfigured
from nightjar.kinds import Unfit, typed
from nightjar.model import IndexObject, Scalar
from nightjar.ports import Property

CHUNK_PROPERTIES: Final = (
    Property("text", "text", "words"),
    Property("title", "text", "words"),
    Property("heading_path", "text[]", "words"),
    Property("document_id", "text", "exact"),
    Property("document_digest", "text", "exact"),
    Property("source_uri", "text", "exact"),
    Property("media_type", "text", "exact"),
    Property("language", "text", "exact"),
    Property("element_type", "text", "exact"),
    Property("acl", "text[]", "exact"),
    Property("ordinal", "int", "range"),
    Property("page_first", "int", "range"),
    Property("page_last", "int", "range"),
    Property("token_count", "int", "range"),
    Property("modified_at", "date", "range"),
    Property("table_html", "text", "stored"),
)

SEARCH_OF_KIND: Final[Mapping[str, str]] = {
    "text": "exact",
    "text[]": "exact",
    "bool": "exact",
    "int": "range",
    "number": "range",
    "date": "range",
}

_FILTERED: Final = frozenset({"exact", "range"})
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9_]{0,200}")
_TAKEN: Final = frozenset({"id", "vector"})  # the index's own words on every object
_INNER_SUFFIX: Final = re.compile(
    r"_(searchable|rangeable|temp|propertyLength|nullState)\Z"
)  # names of its inner buckets


def properties_of(fields: Mapping[str, str]) -> tuple[Property, ...]:
    """The properties of a corpus's collections: the chunk's own, then its metadata `fields` (name → kind).

    Raises:
        Misconfigured: a field's name is taken or unusable, or its kind is unknown.
    """
    taken = {own.name for own in CHUNK_PROPERTIES} | _TAKEN
    return CHUNK_PROPERTIES + tuple(_field(name, kind, taken) for name, kind in fields.items())


def _field(name: str, kind: str, taken: Collection[str]) -> Property:
    if name in taken:
        raise Misconfigured(f"metadata field {name!r} carries a name that every chunk has already: rename the field")
    if not _NAME.fullmatch(name) or _INNER_SUFFIX.search(name):
        raise Misconfigured(
            f"metadata field {name!r} cannot be a property: begin with a lower-case letter, use letters, digits and _, "
            "and do not end in _searchable, _rangeable, _temp, _propertyLength or _nullState"
        )
    if kind not in SEARCH_OF_KIND:
        raise Misconfigured(f"metadata field {name!r} is of unknown kind {kind!r}: use {', '.join(SEARCH_OF_KIND)}")
    return Property(name, kind, SEARCH_OF_KIND[kind])


def compared(name: str, value: object, declared: Mapping[str, Property]) -> Scalar:
    """`value` as the property `name` is compared with it; of a list one of its texts is asked for.

    Raises:
        Misconfigured: nothing can be filtered by that name, or the value is not of its type.
    """
    found = declared.get(name)
    if found is None or found.search not in _FILTERED:
        usable = ", ".join(sorted(each.name for each in declared.values() if each.search in _FILTERED))
        raise Misconfigured(f"nothing can be filtered by {name!r}: use one of {usable}")
    try:
        return cast("Scalar", typed(value, kind="text" if found.kind == "text[]" else found.kind))
    except Unfit as error:
        raise Misconfigured(f"{name}={value} cannot be compared: {name} is {found.kind}, and this {error}") from None


def checked(candidate: IndexObject, declared: Collection[str]) -> IndexObject:
    """The object itself, once it is sure that an index will find it again.

    Servers take objects with NaN or without a vector and never find them; with auto-schema on they invent properties.

    Raises:
        Misconfigured: the vector is absent, not flat or not finite, or a property is not `declared`.
    """
    vector = np.asarray(candidate.vector)
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
        raise Misconfigured(f"chunk {candidate.chunk_id} has no finite flat vector: embed it again before indexing")
    undeclared = sorted(name for name in candidate.properties if name not in declared)
    if undeclared:
        raise Misconfigured(f"chunk {candidate.chunk_id} has properties that its collection lacks: {undeclared[:5]}")
    return candidate
