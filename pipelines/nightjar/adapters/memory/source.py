"""A source bucket in a dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from nightjar.adapters.content_type import declared
from nightjar.errors import BadDocument, Code
from nightjar.model import Document, Fingerprint, SourceObject, sha256

_SCHEMA: Final = pa.schema(
    [("key", pa.string()), ("etag", pa.string()), ("size", pa.int64()), ("modified_us", pa.int64())]
)
_MINUTE_US: Final = 60_000_000
_FIRST_US: Final = 1_750_000_000_000_000  # June 2025


@dataclass(frozen=True, slots=True)
class _Kept:
    data: bytes
    fingerprint: Fingerprint
    content_type: str
    metadata: Mapping[str, str]


@dataclass(slots=True)
class MemorySource:
    """Keys and bytes under one prefix of an imagined bucket; every `put` happens a minute after the last.

    `fetched` records the keys whose bytes were asked for, in order.
    """

    bucket: str = "documents"
    prefix: str = ""
    page_size: int = 1000
    fetched: list[str] = field(default_factory=list)
    _objects: dict[str, _Kept] = field(default_factory=dict)
    _now_us: int = _FIRST_US

    def put(self, key: str, data: bytes, *, content_type: str = "", metadata: Mapping[str, str] | None = None) -> None:
        """Create or replace an object; `metadata` as `x-amz-meta-*` would carry it."""
        self._now_us += _MINUTE_US
        fingerprint = Fingerprint(sha256(data), len(data), self._now_us)
        self._objects[key] = _Kept(data, fingerprint, content_type, dict(metadata or {}))

    def remove(self, key: str) -> None:
        """Delete an object that is there."""
        del self._objects[key]

    def listing(self) -> Iterator[pa.Table]:
        """Pages of `page_size` rows in key order, at least one."""
        keys = sorted(key for key in self._objects if key.startswith(self.prefix))
        for start in range(0, max(len(keys), 1), self.page_size):
            page = keys[start : start + self.page_size]
            prints = [self._objects[key].fingerprint for key in page]
            columns = [page, [p.etag for p in prints], [p.size for p in prints], [p.modified_us for p in prints]]
            yield pa.Table.from_arrays(
                [pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA
            )

    def exists(self, key: str) -> bool:
        """True while the object is there."""
        return key in self._objects

    def fetch(self, wanted: SourceObject, *, into: Path, max_bytes: int) -> Document:
        """Raises `BadDocument` for what is gone or too large; nothing changes under a read here."""
        self.fetched.append(wanted.key)
        kept = self._objects.get(wanted.key)
        if kept is None:
            raise BadDocument(wanted.document_id, Code.UNREADABLE, "The object is gone.")
        if len(kept.data) > max_bytes:
            reason = f"{len(kept.data)} bytes are above source.max_size ({max_bytes}): raise it, or exclude the key"
            raise BadDocument(wanted.document_id, Code.TOO_LARGE, reason)
        into.write_bytes(kept.data)
        media_type, charset = declared(kept.content_type)
        return Document(
            document_id=wanted.document_id,
            uri=wanted.uri,
            key=wanted.key,
            path=into,
            digest=sha256(kept.data),
            fingerprint=kept.fingerprint,
            modified_at=datetime.fromtimestamp(kept.fingerprint.modified_us / 1_000_000, UTC),
            declared_type=media_type,
            declared_charset=charset,
            object_metadata=kept.metadata,
        )

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """None when the object is gone."""
        kept = self._objects.get(key)
        return None if kept is None else kept.metadata

    def sidecar(self, key: str, *, max_bytes: int) -> bytes | None:
        """None when there is none or it is larger than `max_bytes`."""
        kept = self._objects.get(f"{key}.metadata.json")
        return kept.data if kept is not None and len(kept.data) <= max_bytes else None
