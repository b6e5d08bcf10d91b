"""Weaviate's many exceptions, translated into what the caller should do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import grpc
import httpx
from weaviate.exceptions import (
    AuthenticationFailedError,
    InsufficientPermissionsError,
    SchemaValidationError,
    UnexpectedStatusCodeError,
    WeaviateBaseError,
    WeaviateConnectionError,
    WeaviateInvalidInputError,
    WeaviateStartUpError,
    WeaviateUnsupportedFeatureError,
)

from nightjar.errors import Misconfigured, NightjarError, Transient, bounded

_UNAUTHORIZED: Final = 401
_RETRYABLE_STATUS: Final = frozenset({408, 425, 429})
_SERVER_FAULT: Final = 500

_WRONG_KEY: Final = re.compile(r"unauthenticated|unauthorized|invalid api key|anonymous access", re.IGNORECASE)
_DENIED: Final = re.compile(r"forbidden|insufficient permission|PERMISSION_DENIED", re.IGNORECASE)
_READ_ONLY: Final = re.compile(r"read-?only|disk usage", re.IGNORECASE)
_HOPELESS: Final = re.compile(
    r"no such prop|not present in schema|could not find class|class not found|invalid \S+ property|invalid search term"
    r"|is not supported|dimensions do not match|vector lengths|exceeds? maximum|query maximum results|requires an? "
    r"|codec can't encode|Unexpected type",
    re.IGNORECASE,
)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Whatever the client raises inside leaves as `Transient` or `Misconfigured`, naming the server's address."""
    try:
        yield
    except (WeaviateBaseError, httpx.HTTPError, grpc.RpcError) as error:
        raise named(error, url) from error


def named(error: Exception, url: str) -> NightjarError:
    """The error of ours that tells what to do about one of theirs."""
    if isinstance(error, AuthenticationFailedError):
        return _wrong_key(url)
    if isinstance(error, InsufficientPermissionsError):
        return _denied(url)
    if isinstance(error, UnexpectedStatusCodeError):
        return _of_status(error, url)
    if isinstance(error, WeaviateConnectionError | WeaviateStartUpError | httpx.ConnectError):
        return Transient(f"Weaviate at {url} cannot be reached")  # the client's own words tell no more
    if isinstance(error, WeaviateInvalidInputError | SchemaValidationError | WeaviateUnsupportedFeatureError):
        return Misconfigured(bounded(f"Weaviate at {url} refused the request: {error}"))
    return of_message(str(error), url)


def of_message(message: str, url: str) -> NightjarError:
    """What gRPC answers mean stands in their words only; what no word explains is worth another try."""
    if _WRONG_KEY.search(message):
        return _wrong_key(url)
    if _DENIED.search(message):
        return _denied(url)
    if _READ_ONLY.search(message):
        return read_only(url)
    if _HOPELESS.search(message):
        return Misconfigured(bounded(f"Weaviate at {url} refused the request: {message}"))
    return Transient(bounded(f"Weaviate at {url} does not answer as it should: {message}"))


def refusal(what: str, url: str) -> NightjarError:
    """Objects that the server would not take; `what` counts them and ends with its reason."""
    kind = of_message(what, url)
    hopeless = isinstance(kind, Misconfigured) and _HOPELESS.search(what)
    return Misconfigured(bounded(f"Weaviate at {url} refused {what}")) if hopeless else kind


def read_only(url: str) -> Misconfigured:
    """A server whose disk is nearly full serves reads and refuses writes until someone makes room."""
    return Misconfigured(
        f"Weaviate at {url} is read-only, as it becomes when its disk is nearly full: free space there, "
        "set its shards to READY (or restart it), then run again"
    )


def _of_status(error: UnexpectedStatusCodeError, url: str) -> NightjarError:
    status = error.status_code
    if status == _UNAUTHORIZED:
        return _wrong_key(url)
    if status in _RETRYABLE_STATUS or status >= _SERVER_FAULT:
        return Transient(bounded(f"Weaviate at {url} answered with status {status}: {error}"))
    return Misconfigured(bounded(f"Weaviate at {url} refused the request with status {status}: {error}"))


def _wrong_key(url: str) -> Misconfigured:
    return Misconfigured(
        f"Weaviate at {url} refused the API key: set WEAVIATE_API_KEY, or the connection's token, to one it accepts"
    )


def _denied(url: str) -> Misconfigured:
    return Misconfigured(
        f"Weaviate at {url} knows the API key but does not allow this to its user: grant that user collections, data "
        "and aliases (read and write)"
    )
