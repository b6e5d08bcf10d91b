from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightjar.adapters.embedder.batches import by_length

LENGTHS = st.lists(st.integers(1, 300), max_size=60)


@given(LENGTHS)
def test_every_text_is_in_one_batch(lengths: list[int]) -> None:
    assert sorted(index for batch in by_length(lengths, budget=512) for index in batch) == list(range(len(lengths)))


@given(LENGTHS)
def test_padding_included_no_batch_is_above_the_budget(lengths: list[int]) -> None:
    assert all(max(lengths[i] for i in batch) * len(batch) <= 512 for batch in by_length(lengths, budget=512))


def test_texts_of_like_length_share_a_batch() -> None:
    assert list(by_length([1, 9, 1, 9], budget=18)) == [[1, 3], [0, 2]]


def test_a_text_above_the_budget_goes_alone() -> None:
    assert list(by_length([900, 1], budget=512)) == [[0], [1]]
