"""The source bucket over S3's API: listed fast, read carefully."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from botocore.exceptions import ClientError

from nightjar.adapters.content_type import declared
from nightjar.adapters.s3_errors import concerns_one_object, says_absent, translated
from nightjar.adapters.s3_headers import agrees, fingerprint_of, object_metadata
from nightjar.adapters.s3_listing import listing_pages
from nightjar.errors import BadDocument, Code
from nightjar.model import Document, Fingerprint, SourceObject

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

_SIDECAR_SUFFIX: Final = ".metadata.json"
_PIECE_BYTES: Final = 1 << 20
_READS: Final = 2  # an object that changes under both is left to the next night


class S3Source:
    """Objects of `bucket` whose keys begin with `prefix` (which ends with a slash, or is empty).

    Safe from many threads, as boto3's clients are.
    """

    def __init__(self, client: S3Client, *, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._endpoint = client.meta.endpoint_url

    def listing(self) -> Iterator[pa.Table]:
        """All keys, folder markers and sidecars included, one table a page."""
        return listing_pages(self._client, bucket=self._bucket, prefix=self._prefix)

    def exists(self, key: str) -> bool:
        """False only when the store says that the object is gone; a refusal proves nothing, so it counts as there."""
        with translated(self._bucket, endpoint=self._endpoint):
            try:
                self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if concerns_one_object(error):
                    return not says_absent(error)
                raise
        return True

    def fetch(self, wanted: SourceObject, *, into: Path, max_bytes: int) -> Document:
        """GET, then HEAD: what the headers promised must still stand once the last byte is here.

        An etag alone would not do: a gateway over a folder serves a file's new bytes under its old etag. The document
        carries the listing's fingerprint where that is still true, else the one its bytes were read under.

        Raises:
            BadDocument: too_large, unreadable, or changed_while_read twice in a row.
        """
        with translated(self._bucket, endpoint=self._endpoint):
            for _ in range(_READS):
                document = self._read(wanted, into=into, max_bytes=max_bytes)
                if document is not None:
                    return document
        reason = "The object was being replaced while it was read: the next run tries again."
        raise BadDocument(wanted.document_id, Code.CHANGED_WHILE_READ, reason)

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """None when the object is gone or the store refuses it."""
        with translated(self._bucket, endpoint=self._endpoint):
            reply = self._headed(key)
            return None if reply is None else object_metadata(reply["Metadata"])

    def sidecar(self, key: str, *, max_bytes: int) -> bytes | None:
        """None also when the store refuses it: whoever saw it in the listing knows that it stands, unread."""
        with translated(self._bucket, endpoint=self._endpoint):
            try:
                reply = self._client.get_object(Bucket=self._bucket, Key=key + _SIDECAR_SUFFIX)
            except ClientError as error:
                if concerns_one_object(error):
                    return None
                raise
            with closing(reply["Body"]) as body:
                return body.read() if reply["ContentLength"] <= max_bytes else None

    def _read(self, wanted: SourceObject, *, into: Path, max_bytes: int) -> Document | None:
        """None when the object changed under the read."""
        reply = self._opened(wanted)
        before = fingerprint_of(reply)
        with closing(reply["Body"]) as body:
            if before.size > max_bytes:
                reason = f"{before.size} bytes are above source.max_size ({max_bytes}): raise it, or exclude the key."
                raise BadDocument(wanted.document_id, Code.TOO_LARGE, reason)
            digest = _saved(body, into=into)
        if self._standing(wanted.key) != before:
            return None
        media_type, charset = declared(reply.get("ContentType", ""))
        fingerprint = wanted.fingerprint if agrees(wanted.fingerprint, before) else before
        return Document(
            document_id=wanted.document_id,
            uri=wanted.uri,
            key=wanted.key,
            path=into,
            digest=digest,
            fingerprint=fingerprint,
            modified_at=datetime.fromtimestamp(fingerprint.modified_us / 1_000_000, UTC),
            declared_type=media_type,
            declared_charset=charset,
            object_metadata=object_metadata(reply["Metadata"]),
        )

    def _opened(self, wanted: SourceObject) -> GetObjectOutputTypeDef:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=wanted.key)
        except ClientError as error:
            if not concerns_one_object(error):
                raise
            reason = "The object is gone." if says_absent(error) else f"The store refuses this object: {error}"
            raise BadDocument(wanted.document_id, Code.UNREADABLE, reason) from error

    def _standing(self, key: str) -> Fingerprint | None:
        reply = self._headed(key)
        return None if reply is None else fingerprint_of(reply)

    def _headed(self, key: str) -> HeadObjectOutputTypeDef | None:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if concerns_one_object(error):
                return None
            raise


def _saved(body: StreamingBody, *, into: Path) -> str:
    """The bytes lie in `into`; their SHA-256 in hex. The client checks that all that was promised came."""
    digest = hashlib.sha256()
    with into.open("wb") as file:
        for piece in body.iter_chunks(_PIECE_BYTES):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()
