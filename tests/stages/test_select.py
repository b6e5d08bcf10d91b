from __future__ import annotations

import pyarrow as pa
import pytest

from nightjar.stages.select import selected, with_sidecars


def listing(*keys: str) -> pa.Table:
    numbers = pa.array(range(len(keys)), pa.int64())
    etags = pa.array([f"etag of {key}" for key in keys], pa.string())
    columns = [pa.array(keys, pa.string()), etags, numbers, numbers]
    return pa.Table.from_arrays(columns, names=["key", "etag", "size", "modified_us"])


def taken(keys: list[str], include: list[str], exclude: list[str]) -> list[str]:
    array = pa.array(keys, pa.string())
    return list(array.filter(selected(array, include=include, exclude=exclude)).to_pylist())


KEYS = ["a.pdf", "a.txt", "drafts/a.pdf", "drafts/b/c.pdf", "li\nne.pdf", "été.pdf", "a.pdf\n", "drafts"]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["**"], [], KEYS),
        (["**", "nonsense"], [], KEYS),
        ([], [], []),
        (["**"], ["**"], []),
        (["**"], ["drafts/**"], [key for key in KEYS if not key.startswith("drafts/")]),
        (["*.pdf"], [], ["a.pdf", "li\nne.pdf", "été.pdf"]),
        (["**/*.pdf"], ["*/a.pdf"], ["a.pdf", "drafts/b/c.pdf", "li\nne.pdf", "été.pdf"]),
        (["*.txt", "drafts/*/*"], [], ["a.txt", "drafts/b/c.pdf"]),
    ],
)
def test_what_is_included_and_not_excluded_is_taken(
    include: list[str], exclude: list[str], expected: list[str]
) -> None:
    assert taken(KEYS, include, exclude) == expected


def test_chunked_columns_are_judged_chunk_by_chunk() -> None:
    keys = pa.chunked_array([["a.pdf", "b.txt"], ["c.pdf"]])
    assert selected(keys, include=["*.pdf"], exclude=[]).to_pylist() == [True, False, True]


def test_a_sidecar_stands_beside_its_document_and_not_as_one() -> None:
    table = with_sidecars(listing("a.txt", "a.txt.metadata.json", "b.txt"))
    assert table.select(["key", "sidecar_etag", "sidecar_size", "sidecar_modified_us"]).to_pylist() == [
        {
            "key": "a.txt",
            "sidecar_etag": "etag of a.txt.metadata.json",
            "sidecar_size": 1,
            "sidecar_modified_us": 1,
        },
        {"key": "b.txt", "sidecar_etag": None, "sidecar_size": None, "sidecar_modified_us": None},
    ]


def test_a_sidecar_without_its_document_is_a_document() -> None:
    assert with_sidecars(listing("b.txt", "gone.txt.metadata.json"))["key"].to_pylist() == [
        "b.txt",
        "gone.txt.metadata.json",
    ]


def test_a_sidecar_listed_on_an_earlier_page_than_its_document_is_found() -> None:
    pages = pa.concat_tables([listing("a.metadata.json", "a0"), listing("a")])
    table = with_sidecars(pages)
    assert table.select(["key", "sidecar_etag"]).to_pylist() == [
        {"key": "a0", "sidecar_etag": None},
        {"key": "a", "sidecar_etag": "etag of a.metadata.json"},
    ]


def test_where_sidecars_are_not_used_every_row_is_a_document() -> None:
    table = with_sidecars(listing("a.txt", "a.txt.metadata.json"), enabled=False)
    assert table["key"].to_pylist() == ["a.txt", "a.txt.metadata.json"]
    assert table["sidecar_etag"].null_count == 2


@pytest.mark.parametrize("keys", [[], ["a.txt"], ["a.txt", "a.txt.metadata.json"]])
def test_the_columns_are_the_same_with_and_without_sidecars(keys: list[str]) -> None:
    schema = with_sidecars(listing(*keys)).schema
    assert [(field.name, str(field.type)) for field in schema][4:] == [
        ("sidecar_etag", "string"),
        ("sidecar_size", "int64"),
        ("sidecar_modified_us", "int64"),
    ]
