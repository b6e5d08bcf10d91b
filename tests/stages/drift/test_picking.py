from __future__ import annotations

import pyarrow as pa

from nightjar.stages.drift.picking import CHUNKS, CHUNKS_A_DOCUMENT, pick, spread


def rows(chunks: list[int]) -> pa.Table:
    return pa.table({"document_id": [f"{n:06d}" for n in range(len(chunks))], "chunks": pa.array(chunks, pa.int32())})


def test_a_small_corpus_is_its_own_sample() -> None:
    assert pick(rows([3, 4, 5])).num_rows == 3


def test_a_sample_is_bounded_whatever_the_corpus() -> None:
    assert pick(rows([2] * 100_000)).num_rows == CHUNKS // 2


def test_a_giant_takes_no_more_than_its_share() -> None:
    assert pick(rows([1_000_000, *[4] * 600])).num_rows == 1 + (CHUNKS - CHUNKS_A_DOCUMENT) // 4


def test_unchanged_documents_are_picked_again_when_others_come() -> None:
    before = rows([2] * 5_000)
    late = pa.table({"document_id": ["000000-b", "000500-b"], "chunks": pa.array([2, 2], pa.int32())})
    after = pick(pa.concat_tables([before, late]))["document_id"].to_pylist()
    assert len(set(after) & set(pick(before)["document_id"].to_pylist())) == len(after) - 2


def test_passages_of_a_long_document_are_spread_over_all_of_it() -> None:
    places = spread(1_000)
    assert (places[0], places[-1], len(set(places))) == (0, 999, CHUNKS_A_DOCUMENT)


def test_a_short_document_is_taken_whole() -> None:
    assert spread(3) == [0, 1, 2]
