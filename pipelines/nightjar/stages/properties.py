"""What a chunk's object carries in a collection: which properties exist, and values that the index stores unchanged."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

import numpy as np

from nightjar.errors import Misconfigured
from nightjar.model import FieldValue, IndexObject
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

_NAME: Final = re.compile(r"[a-z][A-Za-z0-9_]{0,200}")
_TAKEN: Final = frozenset({"id", "vector"})  # the index's own words on every object
_INNER_SUFFIX: Final = re.compile(
    r"_(searchable|rangeable|temp|propertyLength|nullState)\Z"
)  # names of its inner buckets
_WHOLE_IN_DOUBLE: Final = 2**53  # integers travel as doubles; beyond this they would come back changed
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Unfit:
    """A value that was set aside because it does not fit its property's kind; `reason` never holds the value."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """Every property of a collection with a plain value or None, and what was set aside on the way."""

    values: Mapping[str, FieldValue | None]
    unfit: tuple[Unfit, ...]


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


def fitted(values: Mapping[str, object], properties: Iterable[Property]) -> Fitted:
    """Each declared property once, in order; absent values are None and so are those that do not fit.

    Values whose names are not declared are left out without a word: the corpus file says what is kept.
    """
    plain: dict[str, FieldValue | None] = {}
    unfit: list[Unfit] = []
    for declared in properties:
        try:
            plain[declared.name] = fit(values.get(declared.name), declared.kind)
        except ValueError as error:
            plain[declared.name] = None
            unfit.append(Unfit(declared.name, str(error)))
    return Fitted(plain, tuple(unfit))


def fit(value: object, kind: str) -> FieldValue | None:
    """`value` as the plain Python value that the index stores and gives back equal.

    Numpy scalars are unwrapped, sets sorted, lone surrogates replaced by U+FFFD, dates become UTC (naive ones are
    taken as UTC). Text is never guessed into numbers.

    Raises:
        ValueError: it does not fit; the message tells the types, not the value.
    """
    bare = value.item() if isinstance(value, np.generic) else value
    return None if bare is None else _FITTERS[kind](bare)


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


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _misfit(value, "text")
    return _SURROGATE.sub("\ufffd", value)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, set | frozenset):
        return tuple(sorted(_text(item) for item in value))
    if not isinstance(value, list | tuple):
        raise _misfit(value, "a list of texts")
    return tuple(_text(item) for item in value)


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _misfit(value, "a whole number")
    if abs(value) > _WHOLE_IN_DOUBLE:
        raise ValueError("needs a whole number of at most 2^53")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(value, "a number")
    if not math.isfinite(value):
        raise ValueError("needs a finite number")
    return float(value)


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise _misfit(value, "true or false")
    return value


def _date(value: object) -> datetime:
    if isinstance(value, str):
        value = _parsed(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise _misfit(value, "a date")
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:  # 0001-01-01 east of Greenwich has no UTC date
        raise ValueError("needs a date between the years 1 and 9999") from None


def _parsed(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("needs a date like 2026-11-23 or 2026-11-23T02:00:00Z") from None


def _misfit(value: object, wanted: str) -> ValueError:
    return ValueError(f"needs {wanted}, not {type(value).__name__}")


_FITTERS: Final[Mapping[str, Callable[[object], FieldValue]]] = {
    "text": _text,
    "text[]": _texts,
    "int": _int,
    "number": _number,
    "bool": _bool,
    "date": _date,
}
