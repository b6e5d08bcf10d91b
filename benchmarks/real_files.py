"""Real and hostile files, each folder as one corpus: what was read, what was quarantined and why, by format.

    . .nightjar/env && .venv/bin/python benchmarks/real_files.py documents|hostile

Checks that every object is accounted for, that the collection holds what the manifest says, that no chunk exceeds the
token limit and that nothing is left in the working folder; tells the largest process of each program. Writes
benchmarks/results/files-<name>.json.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from corpora import files_below, fresh, nightjar, peaks
from development_data import development_data

from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.versions import read_live, read_version
from nightjar.model import CollectionName
from nightjar.settings import Settings
from nightjar.wiring import open_services

FOLDERS = {"documents": "documents/files", "hostile": "hostile"}
BLOCKS: dict[str, Any] = {"documents": {}, "hostile": {"parse": {"timeout": "30s"}}}


def main() -> None:
    name = sys.argv[1]
    folder = development_data(FOLDERS[name])
    path = fresh(name, folder, **BLOCKS[name])
    with peaks() as memory:
        code, report, seconds = nightjar("run", path)
    again, second, second_seconds = nightjar("run", path)
    settings = Settings.from_environment(os.environ)
    services = open_services(settings.corpus(str(path)), settings)
    live = read_live(services.state)
    if live is None:
        sys.exit(f"nothing is live: {report}")
    version = read_version(services.state, live.version)
    manifest = load_manifest(services.state, version.manifest)
    standing = indexed(manifest)
    limit = services.tokenizer().max_tokens
    longest = max(
        int(o.properties["token_count"])  # type: ignore[arg-type]
        for o in services.index.scan(CollectionName(live.collection), vectors=False)
    )
    files = list(files_below(folder))
    fates: dict[str, Counter[str]] = {}
    for row in manifest.to_pylist():
        kind = row["key"].removeprefix(services.corpus.prefix).split("/")[0]
        fates.setdefault(kind, Counter())[row["failure_code"] or "read"] += 1
    result = {
        "exit": [code, again],
        "states": [report["state"], second["state"]],
        "seconds": [round(seconds, 1), round(second_seconds, 1)],
        "peak memory of a process, MB": dict(sorted(memory.items(), key=lambda each: -each[1])),
        "report": report,
        "files": len(files),
        "in manifest": manifest.num_rows,
        "indexed": standing.num_rows,
        "quarantined": manifest.num_rows - standing.num_rows,
        "unaccounted": len(files) - manifest.num_rows,
        "indexed without chunks": pc.sum(pc.equal(standing["chunks"], 0)).as_py() or 0,
        "collection": services.index.count(CollectionName(live.collection)),
        "manifest chunks": version.counts["chunks"],
        "longest chunk": [longest, limit],
        "left in the working folder": sorted(p.name for p in settings.work.glob("*") if p.name != "cache"),
        "fates": {kind: dict(fates[kind]) for kind in sorted(fates)},
        "quarantine": [
            [r["key"].removeprefix(services.corpus.prefix), r["failure_code"], r["failure_reason"]]
            for r in manifest.to_pylist()
            if r["failure_code"]
        ],
    }
    Path(f"benchmarks/results/files-{name}.json").write_text(json.dumps(result, indent=1))
    print(json.dumps({k: v for k, v in result.items() if k not in ("quarantine", "report")}, indent=1))
    services.close()


if __name__ == "__main__":
    main()
