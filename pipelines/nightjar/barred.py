"""Modules that a library imports where it finds them, does without where not, and that we never use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Bar:
    """A finder of modules that says of some that there is none."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> None:
        if name in self._names:
            raise ImportError(name)


@contextmanager
def barred(*names: str) -> Iterator[None]:
    """Whoever imports one of `names` while the block runs gets an ImportError, unless it is imported already.

    None in `sys.modules` does not serve: compiled modules take that for the module itself.
    """
    bar = _Bar(names)
    sys.meta_path.insert(0, bar)
    try:
        yield
    finally:
        sys.meta_path.remove(bar)
