"""Nights in place after 1 % of 20,000 chunks changed, against the cold run; ways back by delta and by alias: one run.

    . .nightjar/env && .venv/bin/python benchmarks/in_place.py [CHUNKS]

The default model and parser; nights and rollbacks are whole processes of the command line, imports included. Of the
three nights of 1 % and of the rollbacks by alias the median counts. All after the cold one find as long a history as a
corpus keeps, copies of the first record. "reading" is what a fill would take if writing cost nothing. Writes
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
from statistics import median
from typing import Any, Final

import synthetic
from corpora import BUCKET, corpus_file, drop_index, empty, nightjar

from nightjar.flows.objects import checkout, due_rows
from nightjar.flows.rollback import unhold
from nightjar.flows.services import Services
from nightjar.flows.versions import open_version, read_live, read_version, version_numbers
from nightjar.settings import Settings
from nightjar.stages.states import State
from nightjar.wiring import open_services

CHUNKS: Final = int((sys.argv[1:] or ["20000"])[0])
WORDS: Final = 900
DOCUMENTS: Final = CHUNKS // 14  # what 900 words in paragraphs of five sentences become
NAME: Final = "in_place"
PREFIX: Final = f"bench/{NAME}/"
LITTLE: Final = 3


def main() -> None:
    for bucket in (BUCKET, "nightjar-state"):
        empty(bucket, prefix=PREFIX)
    drop_index("BenchInplace")
    edit(1.0, "cold")
    result: dict[str, Any] = {"documents": DOCUMENTS, "nights": [night("in_place", "cold")]}
    services = opened("blue_green")
    lengthen_history(services)
    for number, share in enumerate((*[0.01] * LITTLE, 0.1)):
        edit(share, f"edit-{number}")
        result["nights"].append(night("in_place", f"{share:.0%} of the documents"))
    edit(0.001, "one")
    result["nights"].append(night("blue_green", "another collection"))
    cold, *little = result["nights"][: 1 + LITTLE]
    whole, own = (median(each) for each in zip(*((n["s"], n["seconds"]["total"]) for n in little), strict=True))
    result["1 % over cold, whole processes"] = round(whole / cold["s"], 4)
    result["1 % over cold, the runs' own seconds"] = round(own / cold["seconds"]["total"], 4)
    second, third, tenth, other = (each["version"] for each in result["nights"][-4:])
    result["versions"] = len(version_numbers(services.state))
    result["reading, s"] = timed(lambda: read_all(services))
    ways = [back(services, to) for to in (*(tenth, other) * LITTLE, tenth, third, second)]
    result["rollbacks"] = ways
    result["by alias, median, s"] = median(way["s"] for way in ways if way["by"] == "alias")
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
    code, report, seconds = nightjar("run", corpus(strategy))
    told = {"night": what, "exit": code, "s": round(seconds, 1), "state": report.get("state")}
    told |= {key: report.get(key) for key in ("version", "chunks", "seconds")}
    print(json.dumps(told), file=sys.stderr, flush=True)
    return told


def opened(strategy: str) -> Services:
    settings = Settings.from_environment(os.environ)
    return open_services(settings.corpus(str(corpus(strategy))), settings)


def lengthen_history(services: Services) -> None:
    """Nearly as many versions as `index.keep_versions` lets stand; nobody goes back to the copies."""
    first = read_version(services.state, 1)
    for number in range(2, services.corpus.index.keep_versions - LITTLE):
        open_version(services.state, replace(first, number=0, run_id=f"copy-{number}", state=State.RETIRED))


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
