"""Exit code 0 when a health page says that one of Airflow's parts is healthy; costs a tenth of `airflow jobs check`."""

from __future__ import annotations

import json
import sys
import urllib.request

_TIMEOUT_S = 10


def is_healthy(url: str, part: str) -> bool:
    """Whether `part` of the page is healthy; an unreachable page raises, which also ends with a code."""
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as reply:  # noqa: S310 - addresses from docker-compose.yml
        return bool(json.load(reply)[part]["status"] == "healthy")


if __name__ == "__main__":
    sys.exit(0 if is_healthy(sys.argv[1], sys.argv[2]) else 1)
