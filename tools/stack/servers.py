"""Weaviate and the S3 server: how each is started, and how it says that it is ready."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path

from tools.stack.place import HOST, Place, Port
from tools.stack.secret import Secrets
from tools.stack.supervise import Service

BUCKETS = ("documents", "nightjar-state")
REGION = "us-east-1"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "USER")


def weaviate(program: Path, place: Place, secrets: Secrets) -> Service:
    """One node with API-key login, no anonymous access and no automatic schema.

    Weaviate offers no choice of address for gRPC and for data between nodes; there the key and a password guard.
    """
    environment = {
        "PERSISTENCE_DATA_PATH": str(place.data("weaviate")),
        "CLUSTER_HOSTNAME": "node1",  # part of the data: a node that changes its name loses its shards
        "CLUSTER_IN_LOCALHOST": "true",
        "CLUSTER_ADVERTISE_ADDR": HOST,
        "CLUSTER_BIND_ADDR": HOST,
        "CLUSTER_GOSSIP_BIND_PORT": str(place.port(Port.WEAVIATE_GOSSIP)),
        "CLUSTER_DATA_BIND_PORT": str(place.port(Port.WEAVIATE_DATA)),
        "CLUSTER_BASIC_AUTH_USERNAME": "nightjar",
        "CLUSTER_BASIC_AUTH_PASSWORD": secrets.weaviate_node_password,
        "RAFT_BOOTSTRAP_EXPECT": "1",
        "RAFT_PORT": str(place.port(Port.WEAVIATE_RAFT)),
        "RAFT_INTERNAL_RPC_PORT": str(place.port(Port.WEAVIATE_RAFT_RPC)),
        "GRPC_PORT": str(place.port(Port.WEAVIATE_GRPC)),
        "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
        "AUTHENTICATION_APIKEY_ENABLED": "true",
        "AUTHENTICATION_APIKEY_ALLOWED_KEYS": secrets.weaviate_api_key,
        "AUTHENTICATION_APIKEY_USERS": "nightjar",
        "AUTHORIZATION_ADMINLIST_ENABLED": "true",
        "AUTHORIZATION_ADMINLIST_USERS": "nightjar",
        "DISABLE_TELEMETRY": "true",
        "GO_PROFILING_DISABLE": "true",
        "AUTOSCHEMA_ENABLED": "false",
        "DEFAULT_VECTORIZER_MODULE": "none",
        "LOG_LEVEL": "warning",
    }
    ports = {
        Port.WEAVIATE: "Weaviate over HTTP",
        Port.WEAVIATE_GRPC: "Weaviate over gRPC",
        Port.WEAVIATE_GOSSIP: "Weaviate's gossip",
        Port.WEAVIATE_DATA: "Weaviate's data between nodes",
        Port.WEAVIATE_RAFT: "Weaviate's Raft",
        Port.WEAVIATE_RAFT_RPC: "Weaviate's Raft calls",
    }
    return Service(
        "weaviate",
        [str(program), "--host", HOST, "--port", str(place.port(Port.WEAVIATE)), "--scheme", "http"],
        inherited() | environment,
        {place.port(port): purpose for port, purpose in ports.items()},
        ready=lambda: answers(f"{place.url(Port.WEAVIATE)}/v1/.well-known/ready"),
    )


def s3(program: Path, place: Place, secrets: Secrets) -> Service:
    """A bucket is a folder and an object a file below `.nightjar/s3`, so that people can drop documents in."""
    folder = place.data("s3")
    for bucket in BUCKETS:
        (folder / bucket).mkdir(exist_ok=True)
    environment = {"ROOT_ACCESS_KEY": secrets.s3_access_key, "ROOT_SECRET_KEY": secrets.s3_secret_key}
    port = place.port(Port.S3)
    options = ["--quiet", "--region", REGION, "--health", "/health", "--port", f"{HOST}:{port}"]
    return Service(
        "s3",
        # One at a time: with more, two writers of a conditional put can both win.
        [str(program), *options, "posix", "--concurrency", "1", str(folder)],
        inherited() | environment,
        {port: "S3"},
        ready=lambda: answers(f"{place.url(Port.S3)}/health"),
    )


def inherited() -> dict[str, str]:
    """The little that a server needs of the environment in which `make` was called."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def answers(address: str, *, timeout_s: float = 2) -> bool:
    """Whether a GET is answered with success."""
    try:
        with urllib.request.urlopen(address, timeout=timeout_s):  # noqa: S310 - a loopback address made above
            return True
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
