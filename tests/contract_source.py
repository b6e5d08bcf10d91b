"""What `ports.Source` promises, run against every implementation: subclass it and give it a `bucket` fixture.

Its listing comes in pages of `PAGE` rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pytest

from nightjar.errors import BadDocument, Code
from nightjar.model import Document, Fingerprint, SourceObject, sha256
from nightjar.ports import Source

PREFIX = "handbook/"
ROOMY = 1 << 20
PAGE = 3


class Bucket(Protocol):
    """A source and a hand that changes it; `source` sees the keys below `handbook/`."""

    @property
    def source(self) -> Source: ...

    def put(
        self, key: str, data: bytes, *, content_type: str = "", metadata: Mapping[str, str] | None = None
    ) -> None: ...

    def remove(self, key: str) -> None: ...


def listed(source: Source) -> pa.Table:
    return pa.concat_tables(source.listing())


def wanted(source: Source, key: str) -> SourceObject:
    (row,) = [row for row in listed(source).to_pylist() if row["key"] == key]
    return SourceObject(f"s3://documents/{key}", key, Fingerprint(row["etag"], row["size"], row["modified_us"]))


def fetched(source: Source, key: str, folder: Path) -> Document:
    return source.fetch(wanted(source, key), into=folder / "bytes", max_bytes=ROOMY)


ODD_KEYS = [
    "with space.txt",
    "plus+and%20percent%.txt",
    "übergröße/日本語 🌙.txt",
    "quotes \"'<&>.txt",
    "-dash#hash?question=mark;.txt",
    "back\\slash.txt",
    "long/" + "/".join(["n" * 200] * 4) + "/" + "n" * 80,
]


class SourceContract:
    def test_an_empty_prefix_lists_as_an_empty_table(self, bucket: Bucket) -> None:
        table = listed(bucket.source)
        assert table.num_rows == 0
        assert [(field.name, str(field.type)) for field in table.schema] == [
            ("key", "string"),
            ("etag", "string"),
            ("size", "int64"),
            ("modified_us", "int64"),
        ]

    def test_only_keys_below_the_prefix_are_listed(self, bucket: Bucket) -> None:
        for key in ("handbook/a.txt", "handbook/b/c.txt", "handbook-old/a.txt", "else.txt"):
            bucket.put(key, b"x")
        assert sorted(listed(bucket.source)["key"].to_pylist()) == ["handbook/a.txt", "handbook/b/c.txt"]

    def test_every_page_of_a_long_listing_arrives(self, bucket: Bucket) -> None:
        keys = [f"handbook/{number:04d}" for number in range(2 * PAGE + 1)]
        for key in keys:
            bucket.put(key, b"x")
        pages = list(bucket.source.listing())
        assert len(pages) == 3
        assert pa.concat_tables(pages)["key"].to_pylist() == keys

    @pytest.mark.parametrize("name", ODD_KEYS)
    def test_odd_keys_are_listed_and_fetched_under_their_own_name(
        self, bucket: Bucket, name: str, tmp_path: Path
    ) -> None:
        key = PREFIX + name
        bucket.put(key, b"odd")
        assert key in listed(bucket.source)["key"].to_pylist()
        assert fetched(bucket.source, key, tmp_path).digest == sha256(b"odd")
        assert bucket.source.exists(key)

    def test_a_folder_marker_is_listed_like_any_object(self, bucket: Bucket) -> None:
        bucket.put("handbook/folder/", b"")
        assert listed(bucket.source).select(["key", "size"]).to_pylist() == [{"key": "handbook/folder/", "size": 0}]

    def test_fetching_saves_and_hashes_the_bytes(self, bucket: Bucket, tmp_path: Path) -> None:
        data = bytes(range(256)) * 9000
        bucket.put("handbook/a.bin", data)
        wish = wanted(bucket.source, "handbook/a.bin")
        document = bucket.source.fetch(wish, into=tmp_path / "bytes", max_bytes=len(data))
        assert (tmp_path / "bytes").read_bytes() == data
        assert document.path == tmp_path / "bytes"
        assert document.digest == sha256(data)
        assert document.document_id == wish.document_id
        assert (document.uri, document.key) == (wish.uri, wish.key)

    def test_a_fetched_document_carries_the_fingerprint_of_the_listing(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("handbook/a.txt", b"x")
        document = fetched(bucket.source, "handbook/a.txt", tmp_path)
        assert document.fingerprint == wanted(bucket.source, "handbook/a.txt").fingerprint
        assert document.modified_at.timestamp() * 1_000_000 == document.fingerprint.modified_us

    def test_an_object_replaced_since_the_listing_carries_its_own_fingerprint(
        self, bucket: Bucket, tmp_path: Path
    ) -> None:
        bucket.put("handbook/a.txt", b"old")
        old = wanted(bucket.source, "handbook/a.txt")
        bucket.put("handbook/a.txt", b"newer")
        document = bucket.source.fetch(old, into=tmp_path / "bytes", max_bytes=ROOMY)
        assert document.digest == sha256(b"newer")
        assert document.fingerprint.size == 5
        assert document.fingerprint.etag != old.fingerprint.etag

    def test_type_and_charset_are_told_as_declared(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("handbook/a.html", b"x", content_type="text/HTML; charset=ISO-8859-1")
        document = fetched(bucket.source, "handbook/a.html", tmp_path)
        assert (document.declared_type, document.declared_charset) == ("text/html", "iso-8859-1")

    def test_a_type_that_nobody_declared_is_empty(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("handbook/a.html", b"x")
        document = fetched(bucket.source, "handbook/a.html", tmp_path)
        assert (document.declared_type, document.declared_charset) == ("", "")

    def test_object_metadata_comes_with_the_document(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("handbook/a.txt", b"x", metadata={"team": "hr", "page-count": "3"})
        assert fetched(bucket.source, "handbook/a.txt", tmp_path).object_metadata == {"team": "hr", "page-count": "3"}

    def test_an_object_above_the_limit_is_too_large(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("handbook/a.txt", b"12345")
        with pytest.raises(BadDocument, match=r"5 bytes are above source.max_size \(4\)") as caught:
            bucket.source.fetch(wanted(bucket.source, "handbook/a.txt"), into=tmp_path / "bytes", max_bytes=4)
        assert caught.value.code is Code.TOO_LARGE

    def test_an_object_that_is_gone_is_unreadable(self, bucket: Bucket, tmp_path: Path) -> None:
        bucket.put("handbook/a.txt", b"x")
        wish = wanted(bucket.source, "handbook/a.txt")
        bucket.remove("handbook/a.txt")
        with pytest.raises(BadDocument, match="gone") as caught:
            bucket.source.fetch(wish, into=tmp_path / "bytes", max_bytes=ROOMY)
        assert caught.value.code is Code.UNREADABLE
        assert caught.value.document_id == wish.document_id

    def test_exists_follows_the_object(self, bucket: Bucket) -> None:
        bucket.put("handbook/a.txt", b"x")
        assert bucket.source.exists("handbook/a.txt")
        bucket.remove("handbook/a.txt")
        assert not bucket.source.exists("handbook/a.txt")

    def test_its_metadata_is_told_without_the_document(self, bucket: Bucket) -> None:
        bucket.put("handbook/a.txt", b"x", metadata={"acl": "hr, managers"})
        assert bucket.source.metadata("handbook/a.txt") == {"acl": "hr, managers"}

    def test_the_metadata_of_an_object_that_is_gone_is_none(self, bucket: Bucket) -> None:
        assert bucket.source.metadata("handbook/a.txt") is None

    def test_the_sidecar_is_the_object_beside(self, bucket: Bucket) -> None:
        bucket.put("handbook/a.txt.metadata.json", b'{"year": 2024}')
        assert bucket.source.sidecar("handbook/a.txt", max_bytes=ROOMY) == b'{"year": 2024}'

    def test_no_sidecar_is_none(self, bucket: Bucket) -> None:
        assert bucket.source.sidecar("handbook/a.txt", max_bytes=ROOMY) is None

    def test_a_sidecar_above_the_limit_is_none(self, bucket: Bucket) -> None:
        bucket.put("handbook/a.txt.metadata.json", b"12345")
        assert bucket.source.sidecar("handbook/a.txt", max_bytes=4) is None
