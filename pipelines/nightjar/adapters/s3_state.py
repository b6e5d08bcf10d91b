"""One corpus's state prefix over S3's API, with compare-and-set by conditional PUT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from botocore.exceptions import ClientError

from nightjar.adapters.s3_errors import says_absent, says_lost_race, translated
from nightjar.adapters.s3_listing import listing_pages
from nightjar.adapters.s3_probe import broken_promise
from nightjar.errors import Misconfigured, Transient, bounded
from nightjar.ports import Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DELETED_AT_ONCE: Final = 1000  # the API's own limit for one DeleteObjects


class S3State:
    """State objects of `bucket` below the folder `prefix` (slashes around it do not matter). Safe from many threads."""

    def __init__(self, client: S3Client, *, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint = client.meta.endpoint_url

    def read(self, key: str) -> Stored | None:
        """None when absent."""
        with translated(self._bucket, endpoint=self._endpoint):
            try:
                reply = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except ClientError as error:
                if says_absent(error):
                    return None
                raise
            with closing(reply["Body"]) as body:
                return Stored(body.read(), reply.get("ETag", ""))

    def write(self, key: str, data: bytes) -> None:
        """Unconditional."""
        with translated(self._bucket, endpoint=self._endpoint):
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data)

    def create(self, key: str, data: bytes) -> str | None:
        """The new etag when nothing stood under the key before."""
        with translated(self._bucket, endpoint=self._endpoint):
            try:
                reply = self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfNoneMatch="*")
            except ClientError as error:
                if says_lost_race(error):
                    return None
                raise
        return reply.get("ETag")  # without one: as if the reply were lost

    def replace(self, key: str, data: bytes, *, etag: str) -> str | None:
        """The new etag when what `etag` names stood there until now; an object that is gone has moved on, too."""
        with translated(self._bucket, endpoint=self._endpoint):
            try:
                reply = self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfMatch=etag)
            except ClientError as error:
                if says_lost_race(error) or says_absent(error):
                    return None
                raise
        return reply.get("ETag")  # without one: as if the reply were lost

    def keys(self, prefix: str) -> Iterator[str]:
        """In key order, relative to the state prefix."""
        for page in listing_pages(self._client, bucket=self._bucket, prefix=self._prefix + prefix):
            yield from (key.removeprefix(self._prefix) for key in page["key"].to_pylist())

    def listing(self, prefix: str) -> Iterator[pa.Table]:
        """Key relative to the state prefix, size and modified_us: one table a page."""
        for page in listing_pages(self._client, bucket=self._bucket, prefix=self._prefix + prefix):
            relative = pc.utf8_slice_codeunits(page["key"], len(self._prefix))
            yield page.select(["size", "modified_us"]).add_column(0, "key", relative)

    def exists(self, key: str) -> bool:
        """A HEAD."""
        with translated(self._bucket, endpoint=self._endpoint):
            try:
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
            except ClientError as error:
                if says_absent(error):
                    return False
                raise
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """A thousand in each request.

        Raises:
            Transient: some are still there; the message counts them and gives the first reason.
        """
        remaining = iter(keys)
        while batch := [self._prefix + key for key in islice(remaining, _DELETED_AT_ONCE)]:
            self._delete(batch)

    def _delete(self, batch: list[str]) -> None:
        with translated(self._bucket, endpoint=self._endpoint):
            reply = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
            )
        refused = [error for error in reply.get("Errors", []) if error.get("Code") != "NoSuchKey"]
        if refused:
            said = bounded(f"{refused[0].get('Code', '')} {refused[0].get('Message', '')}")
            raise Transient(
                f"{len(refused)} of {len(batch)} state objects in bucket {self._bucket} not deleted: {said}"
            )

    def probe(self) -> None:
        """Tries one small object `probe-<random>` and deletes it.

        Raises:
            Misconfigured: bucket missing, access denied, or a store that writes although a condition does not hold.
        """
        key = f"probe-{uuid4().hex}"
        fault = broken_promise(self, key)
        self.delete([key])
        if fault is not None:
            raise Misconfigured(
                f"the store at {self._endpoint} {fault}, so two runs could overwrite each other's state: use one with "
                f"atomic conditional writes (AWS S3; versitygw when started with --concurrency 1)"
            )
