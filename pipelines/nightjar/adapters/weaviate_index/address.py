"""Where a Weaviate server listens: one address for REST, one for gRPC."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from weaviate.connect import ConnectionParams, ProtocolParams

from nightjar.errors import Misconfigured

_DEFAULT_GRPC_PORT: Final = 50051
_TLS_PORT: Final = 443
_PLAIN_PORT: Final = 80


def addresses(http_url: str, grpc_url: str | None) -> ConnectionParams:
    """Both addresses of a server; that of gRPC is derived where it is not given.

    Weaviate Cloud serves gRPC under a host name of its own; elsewhere the server's default port is assumed.

    Raises:
        Misconfigured: one of them is not an address, or both are the same.
    """
    http = _http(http_url)
    grpc = _given(grpc_url) if grpc_url else _derived(http)
    if (grpc.host, grpc.port) == (http.host, http.port):
        raise Misconfigured(
            f"WEAVIATE_URL and gRPC are both at {http.host}:{http.port}: Weaviate serves gRPC on a port of its own,"
            f" {_DEFAULT_GRPC_PORT} unless told otherwise; set WEAVIATE_GRPC_URL"
        )
    return ConnectionParams(http=http, grpc=grpc)


def _http(url: str) -> ProtocolParams:
    parts = _split(url, "WEAVIATE_URL")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise Misconfigured(f"WEAVIATE_URL is {url!r}: write http://host:port or https://host, without a path")
    secure = parts.scheme == "https"
    return ProtocolParams(host=parts.hostname, port=parts.port or (_TLS_PORT if secure else _PLAIN_PORT), secure=secure)


def _given(url: str) -> ProtocolParams:
    parts = _split(url if "://" in url else f"grpc://{url}", "WEAVIATE_GRPC_URL")
    if parts.scheme not in {"grpc", "grpcs"} or not parts.hostname or parts.path.strip("/"):
        raise Misconfigured(f"WEAVIATE_GRPC_URL is {url!r}: write host:port, or grpcs://host:port for TLS")
    secure = parts.scheme == "grpcs"
    return ProtocolParams(
        host=parts.hostname, port=parts.port or (_TLS_PORT if secure else _DEFAULT_GRPC_PORT), secure=secure
    )


def _derived(http: ProtocolParams) -> ProtocolParams:
    if http.host.endswith(".weaviate.network"):
        cluster, domain = http.host.split(".", 1)
        return ProtocolParams(host=f"{cluster}.grpc.{domain}", port=_TLS_PORT, secure=True)
    if http.host.endswith(".weaviate.cloud"):
        return ProtocolParams(host=f"grpc-{http.host}", port=_TLS_PORT, secure=True)
    return ProtocolParams(host=http.host, port=_DEFAULT_GRPC_PORT, secure=http.secure)


def _split(url: str, variable: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read here: a port that is no number only shows when asked for
    except ValueError:
        raise Misconfigured(f"{variable} is {url!r}: that is not an address") from None
    return parts
