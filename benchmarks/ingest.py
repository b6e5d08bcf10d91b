"""Whole ingest of a text corpus by `nightjar run` against a plain script, one after the other, model load included.

    . .nightjar/env && .venv/bin/python benchmarks/ingest.py [SET]

Writes benchmarks/results/ingest.json; the ratio is what counts, for both ran on the same machine in the same minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from corpora import fresh, nightjar
from development_data import development_data


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "covidqa"
    path = fresh(name, development_data(f"retrieval/{name}/corpus"))
    code, report, ours = nightjar("run", path)
    started = time.monotonic()
    script = Path(__file__).with_name("plain_script.py")
    subprocess.run([sys.executable, "-W", "ignore", str(script), f"bench/{name}/", "BenchPlain"], check=True)
    plain = time.monotonic() - started
    result = {
        "set": name,
        "exit": code,
        "nightjar, s": round(ours, 1),
        "plain script, s": round(plain, 1),
        "times as fast": round(plain / ours, 2),
        "stages, s": report["seconds"],
        "chunks": report["chunks"],
    }
    Path("benchmarks/results/ingest.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
