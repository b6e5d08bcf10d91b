"""What a killed Weaviate still finds by vector and by word, with a server of its own.

    .venv/bin/python benchmarks/killed_weaviate.py

Each row: objects found, the median of five collections that were written before one kill. Writes
benchmarks/results/killed_weaviate.json.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import Weaviate, weaviate_process

from nightjar.adapters.weaviate_index.index import WeaviateIndex
from nightjar.model import ChunkId, CollectionName, IndexObject
from nightjar.ports import CollectionSchema, Query
from nightjar.stages.properties import properties_of

COLLECTIONS: Final = 5
DIMENSIONS: Final = 32
RESULTS: Final = Path(__file__).parent / "results" / "killed_weaviate.json"


def main() -> None:
    """Small and large collections, killed at once and after a minute, and a server that was asked to stop."""
    rows = []
    with TemporaryDirectory() as folder, weaviate_process(Path(folder)) as server:
        for count, pause_s, how in ((100, 0, "kill"), (100, 60, "kill"), (2_000, 0, "kill"), (100, 0, "terminate")):
            rows.append(_row(server, count, pause_s, how))
            print(json.dumps(rows[-1]), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def _row(server: Weaviate, count: int, pause_s: float, how: str) -> dict[str, object]:
    names = [CollectionName(f"{how.title()}{count}_{pause_s}_{number}") for number in range(COLLECTIONS)]
    index = _opened(server)
    for seed, name in enumerate(names):
        index.create(name, CollectionSchema(properties_of({}), ""))
        index.write(name, list(_objects(count, seed)))
    index.close()
    time.sleep(pause_s)
    if how == "kill":
        server.kill()
    elif server.process is not None:
        server.process.terminate()
        server.process.wait()
    server.start()
    index = _opened(server)
    found = {mode: median(_found(index, name, count, mode) for name in names) for mode in ("vector", "keyword")}
    index.close()
    return {"how": how, "objects": count, "pause_s": pause_s, **found}


def _opened(server: Weaviate) -> WeaviateIndex:
    return WeaviateIndex(http_url=server.http_url, grpc_url=server.grpc_url, api_key=server.api_key)


def _objects(count: int, seed: int) -> list[IndexObject]:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = (ChunkId(f"00000000-0000-4000-8000-{number:012d}") for number in range(count))
    return [
        IndexObject(chunk_id, {"text": f"nightjar number {number}"}, vector)
        for number, (chunk_id, vector) in enumerate(zip(ids, vectors, strict=True))
    ]


def _found(index: WeaviateIndex, name: CollectionName, count: int, mode: str) -> int:
    probe = np.ones(DIMENSIONS, np.float32)
    return len(index.search(name, Query(mode=mode, text="nightjar", vector=probe, limit=count)))


if __name__ == "__main__":
    main()
