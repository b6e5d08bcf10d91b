"""Exact neighbours kept while vectors stream by."""

import numpy as np

from nightjar.model import ChunkId, IndexObject
from nightjar.stages.nearest import Nearest


def stream(count: int) -> list[IndexObject]:
    vectors = np.random.default_rng(7).normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [IndexObject(ChunkId(f"c{n}"), {}, vector) for n, vector in enumerate(vectors)]


def test_neighbours_are_those_of_a_full_comparison() -> None:
    objects = stream(1_000)
    nearest = Nearest()
    assert [o.chunk_id for o in nearest.watch(objects)] == [o.chunk_id for o in objects]
    matrix = np.stack([o.vector for o in objects])
    for vector, found in nearest.probes:
        best = np.argsort(matrix @ vector)[::-1][:10]
        assert [chunk_id for _, chunk_id in found] == [objects[i].chunk_id for i in best]


def test_fewer_objects_than_neighbours_are_all_found() -> None:
    nearest = Nearest()
    list(nearest.watch(stream(3)))
    assert [len(found) for _, found in nearest.probes] == [3, 3, 3]


def test_what_was_kept_survives_as_json() -> None:
    nearest = Nearest()
    list(nearest.watch(stream(40)))
    again = Nearest.from_json(nearest.as_json())
    assert [found for _, found in again.probes] == [found for _, found in nearest.probes]


def test_overlap_counts_what_was_found_and_forgives_ties_with_the_last() -> None:
    exact = [(0.9, "a"), (0.8, "b"), (0.5, "c"), (0.5, "d")]
    assert Nearest.overlap(exact, {"a"}) == 0.75
    assert Nearest.overlap(exact, {"a", "b", "c", "d"}) == 1.0
