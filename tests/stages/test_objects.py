from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nightjar.model import ChunkId
from nightjar.stages.objects import set_apart

VECTOR = np.full(384, 1 / np.sqrt(384), np.float32)
ONE, OTHER = ChunkId("6f1b0f4e-0000-5000-8000-000000000001"), ChunkId("6f1b0f4e-0000-5000-8000-000000000002")


def test_equal_vectors_of_two_objects_differ() -> None:
    assert not np.array_equal(set_apart(VECTOR, ONE), set_apart(VECTOR, OTHER))


def test_a_vector_stays_nearer_to_itself_than_any_precision_brings_it() -> None:
    moved = set_apart(VECTOR, ONE)
    assert float(moved @ VECTOR) > 0.99999
    assert float(np.linalg.norm(moved)) == pytest.approx(1, abs=1e-6)


def test_the_bits_are_those_that_stand_in_collections() -> None:
    assert hashlib.sha256(set_apart(VECTOR, ONE).astype("<f4").tobytes()).hexdigest()[:16] == "adc7885cb543e648"


def test_any_number_of_dimensions_will_do() -> None:
    assert set_apart(np.array([1, 0, 0], np.float32), ONE).shape == (3,)
