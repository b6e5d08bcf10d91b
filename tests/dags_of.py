"""Corpus files for tests of DAGs, and the DAGs that come of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from nightjar.corpus import Corpus, load_corpus

STATE = "s3://nightjar-state"


def write_corpus(folder: Path, name: str, **keys: Any) -> Path:
    """A corpus file with what is required, and `keys`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"source": {"uri": f"s3://documents/{name}/"}, "state": f"{STATE}/{name}/"} | keys))
    return path


def corpus_of(folder: Path, **keys: Any) -> Corpus:
    """The corpus `handbook` with `keys`, read as a file is."""
    return load_corpus(write_corpus(folder, "handbook", **keys), default_state=None)
