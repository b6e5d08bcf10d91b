"""`make bench`: every benchmark in turn, each a program of its own; needs `make services` and NIGHTJAR_DATA.

But for `airflow_kinds.py`, which needs `make airflow`, and `report_pictures.py`, which needs a browser.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

PROGRAMS: Final = (
    ("second_night.py",),
    ("second_night.py", "100000"),
    ("ingest.py",),
    ("embed_memory.py",),
    ("real_files.py", "documents"),
    ("real_files.py", "hostile"),
    ("retrieval.py",),
    ("ten_nights.py", "blue_green"),
    ("ten_nights.py", "in_place"),
    ("in_place.py",),
    ("drift.py", "--nights", "50", "--trials", "25"),
    ("drift_canary.py",),
    ("evaluation.py",),
    ("gates.py",),
    ("dag_parsing.py",),
    ("gpu.py",),
    ("killed_weaviate.py",),
    ("equal_passages.py",),
)


def main() -> int:
    """Exit code: how many benchmarks failed."""
    folder = Path(__file__).parent
    failed = 0
    for program, *words in PROGRAMS:
        print(f"== {program} {' '.join(words)}", flush=True)
        failed += subprocess.run([sys.executable, str(folder / program), *words], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
