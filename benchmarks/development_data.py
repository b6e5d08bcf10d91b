"""Where the development data lies: the one place where a benchmark looks for it."""

from __future__ import annotations

import os
from pathlib import Path


def development_data(below: str) -> Path:
    """A folder of NIGHTJAR_DATA; without it the benchmark ends, and says what to set."""
    folder = Path(os.environ.get("NIGHTJAR_DATA", "../shared/data")) / below
    if not folder.is_dir():
        raise SystemExit(f"{folder} is absent: set NIGHTJAR_DATA to the folder of development data")
    return folder
