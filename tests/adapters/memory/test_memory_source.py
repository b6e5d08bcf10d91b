from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from contract_source import PAGE, PREFIX, Bucket, SourceContract, fetched

from nightjar.adapters.memory.source import MemorySource


@dataclass(frozen=True, slots=True)
class MemoryBucket:
    source: MemorySource

    def put(self, key: str, data: bytes, *, content_type: str = "", metadata: Mapping[str, str] | None = None) -> None:
        self.source.put(key, data, content_type=content_type, metadata=metadata)

    def remove(self, key: str) -> None:
        self.source.remove(key)


class TestMemorySource(SourceContract):
    @pytest.fixture
    def bucket(self) -> Bucket:
        return MemoryBucket(MemorySource(prefix=PREFIX, page_size=PAGE))


def test_it_records_whose_bytes_were_asked_for(tmp_path: Path) -> None:
    source = MemorySource()
    source.put("a", b"x")
    source.put("b", b"x")
    fetched(source, "b", tmp_path)
    assert source.fetched == ["b"]


def test_a_replaced_object_is_newer() -> None:
    source = MemorySource()
    source.put("a", b"x")
    before = next(source.listing())["modified_us"][0].as_py()
    source.put("a", b"x")
    assert next(source.listing())["modified_us"][0].as_py() > before
