"""Arrow imports pandas at its first array, and where it first guesses a type: a quarter of a second a command."""

from __future__ import annotations

import sys

import pyarrow as pa


class _NoPandas:
    """A finder of modules that says there is no pandas."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ImportError(name)


def leave_pandas() -> None:
    """Let Arrow find no pandas once; it looks again only where somebody asks for a data frame."""
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)
