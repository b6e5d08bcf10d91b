"""What docs/drift.md promises of a benchmark, and whether it held: a program whose promise is broken exits 1."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def share(what: str, kept: int, *, of: int, least: float) -> str:
    """The sentence about a promise that did not hold; '' where it did, or nothing was tried."""
    if not of or kept >= least * of:
        return ""
    return f"{what}: {kept} of {of}, promised are {least:.0%}"


def at_most(what: str, found: float, *, most: float) -> str:
    """The sentence about a limit that was exceeded; '' where it was not."""
    return f"{what}: {found:g}, promised are at most {most:g}" if found > most else ""


def told(sentences: Iterable[str]) -> int:
    """Print what did not hold; the exit code."""
    broken = [each for each in sentences if each]
    for each in broken:
        print(f"not kept: {each}", file=sys.stderr)
    return int(bool(broken))
