"""What pydantic found, said as `handbook.yaml:7: chunk.max_token: unknown key; did you mean chunk.max_tokens?`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nightjar.corpus.model import Corpus
from nightjar.corpus.reading import Loc, Written
from nightjar.corpus.section import Section
from nightjar.corpus.units import WrongKey, as_written, write_size
from nightjar.errors import Misconfigured, bounded

_SECRET: Final = re.compile(r"password|passwd|secret|token$|api_?key|access_?key|credential", re.IGNORECASE)

_IN_OUR_WORDS: Final = {
    "missing": "is required; add it (`nightjar init` writes an example)",
    "model_type": "must hold keys and values of its own",
    "dict_type": "must hold keys and values of its own",
    "tuple_type": "must be a list; write [one, two]",
    "string_type": "must be a text, in quotes where it looks like something else",
    "string_too_long": "is too long; write at most {longest} characters",
    "string_pattern_mismatch": "{shown} must look like {pattern}",
    "literal_error": "{shown} is none of {choices}",
    "greater_than_equal": "must be at least {bound}",
    "less_than_equal": "must be at most {bound}",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "too_short": "is empty; write at least one entry",
    "string_too_short": "is empty; write something, or remove it",
}


def explained(error: ValidationError, written: Written) -> Misconfigured:
    """The first problem in one sentence, and how many more there are; a misspelt key before what it leaves missing."""
    told = (detail for detail in error.errors(include_url=False) if not _follows(detail))
    details = sorted(told, key=lambda detail: detail["type"] != "extra_forbidden")
    found = list(dict.fromkeys(_sentence(detail, written) for detail in details))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Misconfigured(bounded(found[0], limit=600) + more)


def known_keys(section: type[Section] = Corpus, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a corpus file, sections before what they hold."""
    for name, field in section.model_fields.items():
        yield (*before, name)
        inner = section_in(field.annotation)
        if inner is not None:
            yield from known_keys(inner, (*before, name))


def section_in(annotation: Any) -> type[Section] | None:
    """The section that an annotation holds: itself, or as the value of a mapping or an alternative."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part)) is not None), None)


def _follows(detail: ErrorDetails) -> bool:
    """A list that would be long enough, were each entry right: they are told."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _sentence(detail: ErrorDetails, written: Written) -> str:
    loc = _real(detail["loc"], written.values, missing=detail["type"] == "missing")
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, WrongKey):
        loc = (*loc, *cause.key.split("."))
    return f"{written.where(loc)}: {_reason(detail, loc, cause, said=written.at(loc))}"


def _reason(detail: ErrorDetails, loc: Loc, cause: object, *, said: object) -> str:
    if isinstance(cause, ValueError):
        return str(cause)
    if detail["type"] == "extra_forbidden":
        return _unknown(loc)
    words = _IN_OUR_WORDS.get(detail["type"])
    if words is None:
        return re.sub(r"^\w+ should", "must", detail["msg"]).replace("valid ", "")
    figures = detail.get("ctx", {})
    return words.format(
        shown=bounded(as_written(detail["input"]), limit=60),
        choices=figures.get("expected", "").replace(" or ", ", "),
        pattern=figures.get("pattern"),
        bound=_bound(figures.get("ge", figures.get("le")), said),
        longest=figures.get("max_length"),
    )


def _bound(bound: object, said: object) -> str:
    """Of a size in a size's unit: what is written as text and compared as a number is one."""
    return write_size(bound) if isinstance(bound, int) and isinstance(said, str) else str(bound)


def _unknown(loc: Loc) -> str:
    name = str(loc[-1])
    guess = _nearest(name, tuple(part for part in loc[:-1] if isinstance(part, str)))
    if guess:
        return f"unknown key; did you mean {'.'.join(guess)}?"
    if _SECRET.search(name):
        return "credentials do not belong in a corpus file; name an Airflow connection under connections"
    return "unknown key; `nightjar schema` lists all that exist"


def _nearest(name: str, parent: tuple[str, ...]) -> tuple[str, ...] | None:
    """A neighbour that is spelt alike, else a key of another section with just this name."""
    keys = list(known_keys())
    beside = {key[-1]: key for key in keys if key[:-1] == parent}
    alike = difflib.get_close_matches(name, beside, n=1, cutoff=0.6)
    if alike:
        return beside[alike[0]]
    anywhere = {key[-1]: key for key in reversed(keys)}
    alike = difflib.get_close_matches(name, anywhere, n=1, cutoff=0.8)
    return anywhere[alike[0]] if alike else None


def _real(loc: Loc, values: object, *, missing: bool) -> Loc:
    """The parts of pydantic's path that stand in the file: it also names alternatives and types."""
    kept: list[str | int] = []
    here = values
    for part in loc:
        inside = (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int))
        if inside:
            here = here[part]  # type: ignore[index]  # `inside` says that it can be asked
            kept.append(part)
    if missing:
        kept.append(loc[-1])
    return tuple(kept)
