"""The metadata section: fields of one's own, their types, and where their values come from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from nightjar.corpus.section import Section, Words
from nightjar.corpus.units import Switch, WrongKey, as_written
from nightjar.errors import bounded

Kind = Literal["text", "text[]", "int", "number", "bool", "date"]

RESERVED: Final = frozenset(
    {
        "id", "vector", "text", "title", "heading_path", "document_id", "document_digest", "source_uri", "media_type",
        "language", "element_type", "acl", "ordinal", "page_first", "page_last", "token_count", "modified_at",
        "table_html",
    }
)  # fmt: skip
_RESERVED_ENDINGS: Final = ("_searchable", "_rangeable", "_temp", "_propertyLength", "_nullState")
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9_]{0,127}")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_FITTING: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "text[]": (tuple,),
    "int": (int,),
    "number": (int, float),
    "bool": (bool,),
    "date": (date,),
}


def _fixed_value(written: object) -> object:
    """A plain value; days and times become moments, in UTC where no zone is given."""
    if isinstance(written, datetime):
        return written if written.tzinfo else written.replace(tzinfo=UTC)
    if isinstance(written, date):
        return datetime(written.year, written.month, written.day, tzinfo=UTC)
    if isinstance(written, (list, tuple)) and all(isinstance(word, str) for word in written):
        return tuple(written)
    if isinstance(written, float) and not math.isfinite(written):
        raise ValueError(f"{written!r} is no number that can be compared; write a finite one")
    if not isinstance(written, (bool, int, float, str)):
        shown = bounded(repr(written), limit=60)
        raise ValueError(f"{shown} is no text, number, yes or no, date, or list of texts")  # noqa: TRY004 - pydantic reports only ValueError
    return written


Fixed = Annotated[
    bool | int | float | datetime | str | tuple[str, ...],
    BeforeValidator(_fixed_value),
    WithJsonSchema({"type": ["boolean", "number", "string", "array"], "items": {"type": "string"}}),
]


def _usable(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a Weaviate property; use a lower-case letter, then letters, digits and _")
    if name in RESERVED:
        raise ValueError(f"{name!r} is a property of every chunk already; choose another name")
    ending = next((e for e in _RESERVED_ENDINGS if name.endswith(e)), None)
    if ending is not None:
        raise ValueError(f"{name!r} ends in {ending}, which Weaviate keeps for itself; choose another name")
    return name


# pydantic takes a key's own `pattern` for one way to name a key among others; inside of `allOf` it is the only one.
_NAME_PATTERN: Final = f"^(?!.*({'|'.join(_RESERVED_ENDINGS)})$){_NAME.pattern}$"
FieldName = Annotated[
    str,
    AfterValidator(_usable),
    WithJsonSchema({"type": "string", "allOf": [{"pattern": _NAME_PATTERN}], "not": {"enum": sorted(RESERVED)}}),
]


def kind_of(value: object) -> Kind:
    """The kind of a field that only a fixed value speaks for."""
    if isinstance(value, bool):  # before int: True is an int, too
        return "bool"
    if isinstance(value, (list, tuple)):
        return "text[]"
    order: tuple[Kind, ...] = ("int", "number", "date")
    return next((kind for kind in order if isinstance(value, _FITTING[kind])), "text")


def _moment(value: object, kind: object) -> object:
    """A date that was written in quotes, or by `resolved`, as a date again."""
    if kind != "date" or not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value  # _values_fit will say so with the key


def placeholders(pattern: str) -> tuple[str, ...]:
    """Names in braces, in order: `{year}/{team}/**` gives year and team."""
    return tuple(_PLACEHOLDER.findall(pattern))


class Metadata(Section):
    """Labels of documents, which become typed properties of every chunk."""

    fields: dict[FieldName, Kind] = Field(
        default_factory=dict,
        description="Type of each field: text, text[], int, number, bool or date; needed for those from paths and "
        "sidecars; fixed values speak for themselves.",
    )
    fixed: dict[FieldName, Fixed] = Field(
        default_factory=dict, description="Values that every document of this corpus gets."
    )
    from_path: str | None = Field(
        default=None, description="Pattern over keys below source.uri; {year}/{team}/** fills the fields year and team."
    )
    sidecar: Switch = Field(
        default=True, description='Read <key>.metadata.json beside an object: its fields, and "acl" with its groups.'
    )
    acl: Words | None = Field(
        default=None,
        description="Groups that may read documents whose sidecar names none; null: everybody where no document names"
        " any, else nobody.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fixed_values_declare_themselves(cls, written: object) -> object:
        """After this `fields` names every field of the corpus, so that nobody else has to look at two places."""
        if not isinstance(written, dict):
            return written
        fixed, fields = written.get("fixed"), written.get("fields", {})
        if not isinstance(fixed, dict) or not isinstance(fields, dict):
            return written
        kinds = {**{name: kind_of(value) for name, value in fixed.items()}, **fields}
        values = {name: _moment(value, kinds[name]) for name, value in fixed.items()}
        return {**written, "fields": kinds, "fixed": values}

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        for name, value in self.fixed.items():
            kind = self.fields[name]
            if not isinstance(value, _FITTING[kind]) or (isinstance(value, bool) and kind != "bool"):
                raise WrongKey(f"fixed.{name}", f"{as_written(value)} is not of the type {kind} that fields declares")
        return self

    @model_validator(mode="after")
    def _path_fills_declared_fields(self) -> Self:
        names = placeholders(self.from_path or "")
        if self.from_path is not None and re.search(r"[{}]", _PLACEHOLDER.sub("", self.from_path)):
            raise WrongKey("from_path", "has a brace without its partner; write fields as {year}")
        missing = next((name for name in names if name not in self.fields), None)
        if missing is not None:
            raise WrongKey("from_path", f"fills {missing!r}, which has no type; add {missing}: text to metadata.fields")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise WrongKey("from_path", f"fills {twice!r} twice; name each field once")
        many = next((name for name in names if self.fields[name] == "text[]"), None)
        if many is not None:
            raise WrongKey("from_path", f"fills {many!r} of type text[]; a path gives single values")
        return self
