"""What the headers of a GET or HEAD say of an object: its fingerprint and people's own metadata."""

from __future__ import annotations

from collections.abc import Mapping
from email.errors import MessageError
from email.header import decode_header, make_header
from typing import TYPE_CHECKING, Final

from nightjar.model import Fingerprint

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

_SECOND_US: Final = 1_000_000


def fingerprint_of(reply: GetObjectOutputTypeDef | HeadObjectOutputTypeDef) -> Fingerprint:
    """As a listing would give it, but for fractions of a second: HTTP dates have none."""
    modified_us = round(reply["LastModified"].timestamp()) * _SECOND_US
    return Fingerprint(reply.get("ETag", "").strip('"'), reply["ContentLength"], modified_us)


def agrees(listed: Fingerprint, headed: Fingerprint) -> bool:
    """The listing's fingerprint is still true of the object whose headers gave `headed`."""
    same_second = listed.modified_us // _SECOND_US == headed.modified_us // _SECOND_US
    return same_second and (listed.etag, listed.size) == (headed.etag, headed.size)


def object_metadata(raw: Mapping[str, str]) -> dict[str, str]:
    """`x-amz-meta-*` by name without the prefix, in lower case; S3 hands non-ASCII values out as RFC 2047 words."""
    return {name.lower(): _text(value) for name, value in raw.items()}


def _text(value: str) -> str:
    if "=?" in value:
        try:
            return str(make_header(decode_header(value)))
        except (MessageError, LookupError, ValueError):  # of codecs, some raise a bare UnicodeError
            return value  # not an encoded word after all
    try:
        return value.encode("latin-1").decode()  # gateways send raw UTF-8, which HTTP clients read as Latin-1
    except UnicodeError:
        return value
