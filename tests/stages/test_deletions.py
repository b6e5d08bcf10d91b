"""Which documents may go: renames are none, and what looks like an accident waits."""

from __future__ import annotations

import pyarrow as pa
import pytest

from nightjar.stages.deletions import GuardLimits, Loss, continuations, guard_deletions, renamed_rows

LIMITS = GuardLimits(share=0.1, count=10, most=1000)


def loss(gone: int, standing: int, *, lately: int = 0, listed: int = 1, outside: int = 0) -> Loss:
    return Loss(gone=gone, lately=lately, standing=standing, listed=listed, outside=outside)


def rows(*prints: tuple[str, int]) -> pa.Table:
    etags, sizes = [etag for etag, _ in prints], [size for _, size in prints]
    return pa.table({"etag": pa.array(etags, pa.string()), "size": pa.array(sizes, pa.int64())})


@pytest.mark.parametrize(
    ("night", "sign"),
    [
        (loss(10, 20), None),
        (loss(11, 111), None),
        (loss(11, 20), "11 of 20 documents are gone, more than 10%"),
        (loss(1001, 100_000), "1001 documents are gone, more than 1000"),
        (loss(1, 1, listed=0), "the listing is empty while 1 document stands"),
        (loss(1, 20, outside=1), "1 document lies outside source.uri"),
        (loss(6, 54, lately=6), "12 of 60 documents are gone within seven days"),
        (loss(0, 54, lately=600), None),
        (loss(0, 54, listed=0), None),
    ],
)
def test_deletions_that_look_like_an_accident_are_withheld(night: Loss, sign: str | None) -> None:
    found = guard_deletions(night, limits=LIMITS)
    assert (found or "").startswith(sign or "")
    assert (found is None) is (sign is None)


def test_an_addition_of_the_same_etag_and_size_continues_what_is_gone() -> None:
    gone = rows(("a", 1), ("a", 2), ("b", 1))
    assert renamed_rows(gone, rows(("a", 1))).to_pylist() == [True, False, False]


def test_one_addition_continues_one_document_only() -> None:
    gone = rows(("a", 1), ("b", 1), ("a", 1), ("a", 1))
    assert renamed_rows(gone, rows(("a", 1), ("a", 1))).to_pylist() == [True, False, True, False]


def test_each_continuation_is_named_by_its_place() -> None:
    gone = rows(("b", 1), ("a", 1), ("a", 1), ("a", 1))
    assert continuations(gone, rows(("a", 1), ("c", 1), ("a", 1))).to_pylist() == [None, 0, 2, None]


def test_an_empty_etag_is_no_sign_of_a_rename() -> None:
    assert renamed_rows(rows(("", 1)), rows(("", 1))).to_pylist() == [False]


def test_an_object_without_bytes_continues_none() -> None:
    assert renamed_rows(rows(("a", 0)), rows(("a", 0))).to_pylist() == [False]


@pytest.mark.parametrize(("gone", "added"), [(rows(), rows(("a", 1))), (rows(("a", 1)), rows())])
def test_without_additions_or_losses_nothing_is_renamed(gone: pa.Table, added: pa.Table) -> None:
    assert not any(renamed_rows(gone, added).to_pylist())
