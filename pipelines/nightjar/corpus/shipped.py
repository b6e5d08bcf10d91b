"""Where the suites and questions that come with Nightjar lie: in the wheel, or beside `pipelines/` in a checkout."""

from __future__ import annotations

from pathlib import Path

from nightjar.corpus.policy import SHIPPED_SUITES
from nightjar.errors import Misconfigured


def shipped_suites() -> Path:
    """The folder `expectations`.

    Raises:
        Misconfigured: neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    places = (package / SHIPPED_SUITES, package.parents[1] / SHIPPED_SUITES)
    folder = next((each for each in places if (each / "documents.json").is_file()), None)
    if folder is None:
        raise Misconfigured("the shipped expectation suites are missing: install nightjar again, or set quality.suites")
    return folder
