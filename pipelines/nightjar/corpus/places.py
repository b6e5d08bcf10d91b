"""S3 addresses in corpus files: `s3://bucket/folder/`, always a folder, never with credentials inside."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

_URI: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_CREDENTIALS: Final = re.compile(r"[a-z0-9+]*://[^/]*@", re.IGNORECASE)


class Place(NamedTuple):
    """A bucket and a prefix that is empty or ends in a slash."""

    bucket: str
    prefix: str

    def holds(self, other: Place) -> bool:
        """True when every object of `other` would lie here, too."""
        return self.bucket == other.bucket and other.prefix.startswith(self.prefix)

    def overlaps(self, other: Place) -> bool:
        """True when one lies inside the other, or both are the same."""
        return self.holds(other) or other.holds(self)


def place_of(uri: str) -> Place:
    """The bucket and prefix of an address that `folder_uri` has accepted."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return Place(bucket, prefix)


def folder_uri(uri: str) -> str:
    """The address with a slash at its end: `s3://b/hand` must not take in `s3://b/handbook/`.

    Raises:
        ValueError: another scheme, an impossible bucket name, or credentials; these are not repeated in the message.
    """
    if _CREDENTIALS.match(uri):
        raise ValueError(
            "holds credentials; remove them and name an Airflow connection under connections, or use AWS_* variables"
        )
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"{uri!r} is no S3 address; write s3://bucket/folder/")
    prefix = match[2] or ""
    return f"s3://{match[1]}/{prefix}" + ("/" if prefix and not prefix.endswith("/") else "")


FolderUri = Annotated[
    str,
    AfterValidator(folder_uri),
    WithJsonSchema({"type": "string", "pattern": f"^{_URI.pattern}$", "examples": ["s3://documents/handbook/"]}),
]
