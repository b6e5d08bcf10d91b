from __future__ import annotations

import numpy as np

from nightjar.model import ChunkId, Hit, IndexObject
from nightjar.stages.exact import exact, merged


def test_exact_search_finds_the_highest_cosines_of_all_blocks() -> None:
    vectors = np.random.default_rng(3).standard_normal((2_500, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    objects = (IndexObject(ChunkId(f"{n:04d}"), {}, vector) for n, vector in enumerate(vectors))
    found = exact(objects, questions=vectors[:3], limit=20)
    for question, hits in zip(vectors[:3], found, strict=True):
        due = np.argsort(-(vectors @ question), kind="stable")[:20]
        assert [int(hit.chunk_id) for hit in hits] == due.tolist()


def test_nothing_is_found_in_nothing() -> None:
    assert exact((), questions=np.ones((2, 4), np.float32), limit=5) == [[], []]


def test_equal_scores_stand_in_the_order_of_ids() -> None:
    ours, theirs = Hit(ChunkId("b"), 0.5, {}), Hit(ChunkId("a"), 0.5, {})
    assert [hit.chunk_id for hit in merged([ours], [theirs], limit=2)] == ["a", "b"]
