"""Pages of ListObjectsV2 as Arrow tables, several times faster than boto3 turns them into dictionaries.

boto3 spends most of a listing on building one dictionary per object and on parsing dates. Here its signing, retries and
errors stay in use, and only the body of a good page is taken over: botocore offers it to `before-parse` handlers, which
may replace it. The handler acts only inside `listing_pages`; other users of the same client see no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.compute as pc
from botocore.utils import parse_timestamp

from nightjar.adapters.s3_errors import translated
from nightjar.errors import Transient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LISTING: Final = pa.schema(
    [("key", pa.string()), ("etag", pa.string()), ("size", pa.int64()), ("modified_us", pa.int64())]
)
_EMPTY_BODY: Final = b"<ListBucketResult></ListBucketResult>"
_EVENT: Final = "before-parse.s3.ListObjectsV2"
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class _Page:
    rows: pa.Table
    continuation: str


_caught: ContextVar[list[_Page] | None] = ContextVar("caught", default=None)


def listing_pages(client: S3Client, *, bucket: str, prefix: str) -> Iterator[pa.Table]:
    """Tables of the schema `LISTING`, in key order, one a page; an empty prefix gives one empty table.

    Etags are without quotes and may be empty; times are microseconds since 1970 in UTC.

    Raises:
        Misconfigured: the bucket is missing or may not be listed.
        Transient: the store did not answer.
    """
    # Registered once per client: botocore drops a second registration of one unique id.
    client.meta.events.register(_EVENT, _take_body, unique_id="nightjar-listing")
    continuation: str | None = ""
    while continuation is not None:
        page = _next_page(client, bucket=bucket, prefix=prefix, continuation=continuation)
        yield page.rows
        continuation = page.continuation or None


def _next_page(client: S3Client, *, bucket: str, prefix: str, continuation: str) -> _Page:
    caught: list[_Page] = []
    token = _caught.set(caught)
    try:
        with translated(bucket, endpoint=client.meta.endpoint_url):
            if continuation:
                client.list_objects_v2(Bucket=bucket, Prefix=prefix, EncodingType="url", ContinuationToken=continuation)
            else:
                client.list_objects_v2(Bucket=bucket, Prefix=prefix, EncodingType="url")
    finally:
        _caught.reset(token)
    if not caught or caught[-1].continuation == continuation != "":
        # A partial listing taken for a whole one would look like deletions, so that nothing is guessed here.
        raise Transient(f"{client.meta.endpoint_url} does not list bucket {bucket} as S3 does: check the endpoint")
    return caught[-1]  # a retried request is caught again; the last is the one that counted


def _take_body(response_dict: dict[str, object], **_: object) -> None:  # botocore passes every argument by name
    caught = _caught.get()
    body = response_dict["body"]
    if caught is None or response_dict["status_code"] != _OK or not isinstance(body, bytes):
        return
    page = _parsed(body)
    if page is not None:  # else botocore meets the same body, and retries or raises as it always does
        caught.append(page)
        response_dict["body"] = _EMPTY_BODY


def _parsed(body: bytes) -> _Page | None:
    """None for what is no whole page of a listing."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - botocore parses the same reply of the same server with it
    except ET.ParseError:
        return None
    space, _, name = root.tag.rpartition("}")
    space = f"{space}}}" if space else ""
    continuation = root.findtext(f"{space}NextContinuationToken", "")
    more = root.findtext(f"{space}IsTruncated") == "true"
    if name != "ListBucketResult" or (more and not continuation):
        return None
    objects = root.findall(f"{space}Contents")
    encoded = root.findtext(f"{space}EncodingType") == "url"
    keys = [found.findtext(f"{space}Key", "") for found in objects]
    columns = [
        pa.array([unquote_plus(key) for key in keys] if encoded else keys, pa.string()),
        pc.utf8_trim(pa.array([found.findtext(f"{space}ETag", "") for found in objects], pa.string()), '"'),
        pa.array([found.findtext(f"{space}Size", "0") for found in objects], pa.string()).cast(pa.int64()),
        _microseconds([found.findtext(f"{space}LastModified", "") for found in objects]),
    ]
    return _Page(pa.Table.from_arrays(columns, schema=LISTING), continuation if more else "")


def _microseconds(times: list[str]) -> pa.Array:
    """S3 writes ISO 8601 in UTC, which Arrow reads at once; what other stores write, botocore reads one by one."""
    try:
        return pa.array(times, pa.string()).cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    except pa.ArrowInvalid:
        return pa.array([round(parse_timestamp(time).timestamp() * 1_000_000) for time in times], pa.int64())
