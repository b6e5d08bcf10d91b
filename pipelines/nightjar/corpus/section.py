"""What every section of a corpus file shares: frozen, and deaf to keys that it does not know."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Line = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Words = tuple[Line, ...]


class Section(BaseModel):
    """One mapping of a corpus file; attribute names are the file's keys."""

    # validators are built at first use: importing this package is part of every DAG file's parse time
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True)


def summary(section: type[Section]) -> str:
    """The section's own docstring on one line: the one home of its description."""
    return " ".join((section.__doc__ or "").split())
