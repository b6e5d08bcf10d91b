"""Peak memory of the embedding task at 500 and at 5,000 documents, in a process of its own that embeds every shard.

    . .nightjar/env && .venv/bin/python benchmarks/embed_memory.py [DOCUMENTS …]

Documents are sentences of real articles, drawn anew for each, so that no two chunks are equal. Parsing is by the
memory double; chunks, model, suites and state in S3 are the real ones. Writes benchmarks/results/embed_memory.json.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from corpora import fresh
from development_data import development_data

from nightjar.adapters.memory.parser import MemoryParser
from nightjar.flows.chunking import chunk_shard
from nightjar.flows.embedding import embed_shard
from nightjar.flows.fence import holding
from nightjar.flows.night import approved_plan
from nightjar.flows.parsing import parse_shard
from nightjar.flows.planning import plan
from nightjar.flows.runs import Options, resume
from nightjar.flows.services import Services
from nightjar.flows.settle import settle
from nightjar.owner import Owner
from nightjar.settings import Settings
from nightjar.stages.chunk.sentences import sentence_spans
from nightjar.wiring import open_services

SIZES: Final = (500, 5_000)
SENTENCES: Final = 8
RUN: Final = "memory"
RESULTS: Final = Path("benchmarks/results/embed_memory.json")


def sentences() -> list[str]:
    texts = [path.read_text("utf-8") for path in sorted(development_data("retrieval/covidqa/corpus").glob("*.txt"))]
    return [text[start:end] for text in texts for start, end in sentence_spans(text) if 60 < end - start < 300]


def put(documents: int) -> Path:
    """The corpus file of so many new documents in the bucket."""
    pool, draw = sentences(), random.Random(documents)  # noqa: S311 - text, not secrets
    with tempfile.TemporaryDirectory() as folder:
        for number in range(documents):
            Path(folder, f"{number:05}.txt").write_text(" ".join(draw.sample(pool, SENTENCES)), encoding="utf-8")
        return fresh(f"memory_{documents}", Path(folder))


def opened(path: str) -> Services:
    settings = Settings.from_environment(os.environ)
    return replace(open_services(settings.corpus(path), settings), parser=MemoryParser)


def prepare(path: str) -> None:
    """All that comes before embedding."""
    services = opened(path)
    owner = Owner.command()
    with holding(services, run_id=RUN, owner=owner) as (fenced, lease):
        run = settle(fenced, run_id=RUN, actor=owner.name, options=Options(), lease=lease)
        for shard in approved_plan(fenced, run, lease).shards:
            parse_shard(fenced, run, shard.number)
            chunk_shard(fenced, run, shard.number)
    services.close()


def embed(path: str) -> None:
    """The task that is measured; prints what it did and its peak."""
    services = opened(path)
    run = resume(services, RUN)
    reports = [embed_shard(services, run, shard.number) for shard in plan(services, run).shards]
    print(
        json.dumps(
            {
                "documents": sum(report["documents"] for report in reports),
                "chunks": sum(report["chunks"] for report in reports),
                "embedded": sum(report["embedded"] for report in reports),
                "shards": len(reports),
                "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )
    services.close()


def in_a_process(step: str, path: Path) -> str:
    done = subprocess.run([sys.executable, __file__, step, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def measured(documents: int) -> dict[str, Any]:
    path = put(documents)
    in_a_process("prepare", path)
    found: dict[str, Any] = json.loads(in_a_process("embed", path))
    print(json.dumps(found), flush=True)
    return found


def main() -> None:
    if sys.argv[1:2] in (["prepare"], ["embed"]):
        (prepare if sys.argv[1] == "prepare" else embed)(sys.argv[2])
        return
    rows = [measured(int(size)) for size in sys.argv[1:] or SIZES]
    ratio = rows[-1]["peak memory, MB"] / rows[0]["peak memory, MB"]
    RESULTS.write_text(json.dumps({"runs": rows, "last over first": round(ratio, 3)}, indent=1))
    print(f"{rows[-1]['documents']} documents over {rows[0]['documents']}: {ratio:.3f} times the memory")


if __name__ == "__main__":
    main()
