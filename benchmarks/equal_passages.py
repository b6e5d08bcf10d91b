"""What vector search finds of other objects beside hundreds of equal vectors, as they are and set apart.

    .venv/bin/python benchmarks/equal_passages.py

A server of its own; equal vectors first, then 200 others at a cosine of about 0.9 to them, each asked for by its own
vector. Exit code 1 where one that was set apart beside a thousand equal ones is not found. Writes
benchmarks/results/equal_passages.json.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import weaviate_process

from nightjar.adapters.weaviate_index.index import WeaviateIndex
from nightjar.model import ChunkId, CollectionName, IndexObject, Vector
from nightjar.ports import CollectionSchema, Query
from nightjar.stages.objects import set_apart
from nightjar.stages.properties import properties_of

EQUAL: Final = (50, 100, 200, 1_000, 10_000)
OTHERS: Final = 200
DIMENSIONS: Final = 384
DEEP: Final = 200
PROMISED: Final = 1_000  # equal passages beside which none is lost
RESULTS: Final = Path(__file__).parent / "results" / "equal_passages.json"


def main() -> int:
    """One row for each count of equal vectors, as they are and set apart."""
    rows = []
    with TemporaryDirectory() as folder, weaviate_process(Path(folder)) as server:
        index = WeaviateIndex(http_url=server.http_url, grpc_url=server.grpc_url, api_key=server.api_key)
        for equal in EQUAL:
            for apart in (False, True):
                rows.append(row(index, equal, apart=apart))
                print(json.dumps(rows[-1]), flush=True)
        index.close()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(each["lost"] for each in rows if each["apart"] and each["equal"] <= PROMISED))


def row(index: WeaviateIndex, equal: int, *, apart: bool) -> dict[str, int | bool]:
    """`first` were found as the nearest, `deep` among the nearest 200, `lost` not at all."""
    name = CollectionName(f"Equal{equal}{apart}")
    index.create(name, CollectionSchema(properties_of({}), ""))
    objects = [an_object(number, vector, apart=apart) for number, vector in enumerate(vectors(equal))]
    index.write(name, objects)
    first = deep = 0
    for each in objects[equal:]:
        if each.chunk_id in found(index, name, each, 1):
            first += 1
        elif each.chunk_id in found(index, name, each, DEEP):
            deep += 1
    index.drop(name)
    return {"equal": equal, "apart": apart, "first": first, "deep": deep, "lost": OTHERS - first - deep}


def vectors(equal: int) -> list[Vector]:
    """`equal` times one, then the others, all around one direction."""
    draw = np.random.default_rng(0)
    around = 3 * unit(draw.standard_normal(DIMENSIONS)) + unit(draw.standard_normal((OTHERS + 1, DIMENSIONS)))
    one, *others = unit(around).astype(np.float32)
    return [one] * equal + others


def unit(rows: Vector) -> Vector:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def an_object(number: int, vector: Vector, *, apart: bool) -> IndexObject:
    chunk_id = ChunkId(str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))))
    return IndexObject(chunk_id, {"text": f"passage {number}"}, set_apart(vector, chunk_id) if apart else vector)


def found(index: WeaviateIndex, name: CollectionName, item: IndexObject, limit: int) -> set[ChunkId]:
    return {hit.chunk_id for hit in index.search(name, Query("vector", "", item.vector, limit))}


if __name__ == "__main__":
    sys.exit(main())
