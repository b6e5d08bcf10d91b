"""A night in place after 1 % of 20,000 chunks changed, against the cold run; ways back by delta and by alias: one run.

    . .nightjar/env && .venv/bin/python benchmarks/in_place.py [CHUNKS]

The default model and parser; nights and rollbacks are whole processes of the command line, imports included. Rollbacks
find as long a history as a corpus keeps, mostly copies of one record. Nights are a day apart: the disk gets half a
minute to take what the night before wrote. "reading" is what a fill would take if writing cost nothing. Writes
benchmarks/results/in_place.json.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import synthetic
from corpora import BUCKET, corpus_file, drop_index, empty, nightjar

from nightjar.flows.objects import checkout, due_rows
from nightjar.flows.rollback import unhold
from nightjar.flows.services import Services
from nightjar.flows.versions import open_version, read_live, read_version, version_numbers
from nightjar.settings import Settings
from nightjar.wiring import open_services

CHUNKS: Final = int((sys.argv[1:] or ["20000"])[0])
WORDS: Final = 900
DOCUMENTS: Final = CHUNKS // 14  # what 900 words in paragraphs of five sentences become
NAME: Final = "in_place"
PREFIX: Final = f"bench/{NAME}/"
_CALM_S: Final = 30


def main() -> None:
    for bucket in (BUCKET, "nightjar-state"):
        empty(bucket, prefix=PREFIX)
    drop_index("BenchInplace")
    edit(1.0, "cold")
    result: dict[str, Any] = {"documents": DOCUMENTS, "nights": [night("in_place", "cold")]}
    for share in (0.01, 0.1):
        edit(share, f"share-{share}")
        result["nights"].append(night("in_place", f"{share:.0%} of the documents"))
    edit(0.001, "one")
    result["nights"].append(night("blue_green", "another collection"))
    cold, little = result["nights"][:2]
    result["1 % over cold, whole processes"] = round(little["s"] / cold["s"], 4)
    result["1 % over cold, the runs' own seconds"] = round(little["seconds"]["total"] / cold["seconds"]["total"], 4)
    services = opened("blue_green")
    lengthen_history(services)
    result["versions"] = len(version_numbers(services.state))
    result["reading, s"] = timed(lambda: read_all(services))
    result["rollbacks"] = [back(services, to) for to in (3, 4, 3, 2, 1)]  # the first three by alias
    result["a command that changes nothing, s"] = timed(lambda: nightjar("versions", corpus("blue_green")))
    services.close()
    Path("benchmarks/results/in_place.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    drop_index("BenchInplace")


def edit(share: float, seed: str) -> None:
    """Replace the texts of the first documents."""
    count = max(1, round(DOCUMENTS * share))
    synthetic.put(PREFIX, {f"{number:06}.txt": f"{seed}-{number}" for number in range(count)}, words=WORDS)


def corpus(strategy: str) -> Path:
    return corpus_file(NAME, index={"alias": "BenchInplace", "strategy": strategy}, drift={"stops": "never"})


def night(strategy: str, what: str) -> dict[str, Any]:
    time.sleep(_CALM_S)
    code, report, seconds = nightjar("run", corpus(strategy))
    told = {"night": what, "exit": code, "s": round(seconds, 1), "state": report.get("state")}
    told |= {key: report.get(key) for key in ("version", "chunks", "seconds")}
    print(json.dumps(told), file=sys.stderr, flush=True)
    return told


def opened(strategy: str) -> Services:
    settings = Settings.from_environment(os.environ)
    return open_services(settings.corpus(str(corpus(strategy))), settings)


def lengthen_history(services: Services) -> None:
    """As many versions as `index.keep_versions` lets stand; nobody goes back to the copies."""
    served = read_version(services.state, 2)
    for number in range(version_numbers(services.state)[-1] + 1, services.corpus.index.keep_versions + 1):
        copy = replace(served, number=0, run_id=f"copy-{number}", parent=number - 1, nonce="")
        open_version(services.state, copy)


def read_all(services: Services) -> None:
    live = read_live(services.state)
    if live is not None:
        for _ in checkout(services, due_rows(services, read_version(services.state, live.version))):
            pass


def back(services: Services, to: int) -> dict[str, Any]:
    """Go to another version, and let later ones come again."""
    before = read_live(services.state)
    code, _, seconds = nightjar("rollback", corpus("blue_green"), "--to", str(to))
    after = read_live(services.state)
    unhold(services)
    moved = before is not None and after is not None and before.collection != after.collection
    return {"to": to, "exit": code, "by": "alias" if moved else "delta", "s": round(seconds, 2)}


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 2)


if __name__ == "__main__":
    main()
