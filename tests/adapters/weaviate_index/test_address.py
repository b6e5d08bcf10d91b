from __future__ import annotations

import pytest

from nightjar.adapters.weaviate_index.address import addresses
from nightjar.adapters.weaviate_index.connection import loses_replicas, numbers
from nightjar.errors import Misconfigured


@pytest.mark.parametrize(
    ("http_url", "grpc_url", "http", "grpc"),
    [
        ("http://localhost:8080", "localhost:50051", ("localhost", 8080, False), ("localhost", 50051, False)),
        ("http://localhost:8080/", None, ("localhost", 8080, False), ("localhost", 50051, False)),
        ("http://weaviate", "weaviate", ("weaviate", 80, False), ("weaviate", 50051, False)),
        ("https://w.example.org", "grpcs://g.example.org", ("w.example.org", 443, True), ("g.example.org", 443, True)),
        (
            "https://w.example.org",
            "grpcs://g.example.org:8443",
            ("w.example.org", 443, True),
            ("g.example.org", 8443, True),
        ),
        ("https://w.example.org", None, ("w.example.org", 443, True), ("w.example.org", 50051, True)),
        (
            "https://x.c0.gcp.weaviate.cloud",
            None,
            ("x.c0.gcp.weaviate.cloud", 443, True),
            ("grpc-x.c0.gcp.weaviate.cloud", 443, True),
        ),
        ("https://x.weaviate.network", None, ("x.weaviate.network", 443, True), ("x.grpc.weaviate.network", 443, True)),
    ],
)
def test_where_rest_and_grpc_are(
    http_url: str, grpc_url: str | None, http: tuple[str, int, bool], grpc: tuple[str, int, bool]
) -> None:
    found = addresses(http_url, grpc_url)
    assert (found.http.host, found.http.port, found.http.secure) == http
    assert (found.grpc.host, found.grpc.port, found.grpc.secure) == grpc


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://host", "http://", "http://host/path", "http://host:port", "http://[x"]
)
def test_what_is_no_http_address_names_its_variable(url: str) -> None:
    with pytest.raises(Misconfigured, match="WEAVIATE_URL"):
        addresses(url, None)


@pytest.mark.parametrize("url", ["http://host:1", "host:port", "host:1/path", "grpc://"])
def test_what_is_no_grpc_address_names_its_variable(url: str) -> None:
    with pytest.raises(Misconfigured, match="WEAVIATE_GRPC_URL"):
        addresses("http://host", url)


@pytest.mark.parametrize(
    ("version", "loses"),
    [
        ("1.36.20", True),
        ("1.37.13", True),
        ("1.37.14", False),
        ("1.38.6", True),
        ("1.38.7", False),
        ("1.39.0-rc.1", False),
        ("1.39.0", False),
        ("1.40.1", False),
        ("2.0.0", False),
    ],
)
def test_which_versions_lose_replicated_objects(version: str, loses: bool) -> None:  # noqa: FBT001 - a truth table
    assert loses_replicas(numbers(version)) is loses


@pytest.mark.parametrize(
    ("http", "grpc"), [("http://h:9", "h:9"), ("http://h:50051", None), ("https://h", "grpcs://h")]
)
def test_one_port_for_both_is_refused(http: str, grpc: str | None) -> None:
    with pytest.raises(Misconfigured, match="set WEAVIATE_GRPC_URL"):
        addresses(http, grpc)
