"""One connection to one Weaviate server, opened at first use and proved over both protocols."""

from __future__ import annotations

import threading
from typing import Final

import grpc
import httpx
from weaviate import WeaviateClient
from weaviate.auth import Auth
from weaviate.config import AdditionalConfig, Timeout
from weaviate.exceptions import WeaviateBaseError

from nightjar.adapters.weaviate_index.address import addresses
from nightjar.adapters.weaviate_index.errors import named, translated
from nightjar.errors import Misconfigured, Transient

_OLDEST: Final = (1, 32, 0)  # aliases
_REPAIRED: Final = {(1, 37): 14, (1, 38): 7}  # first patch of a line whose read repair keeps what replicas hold
_REPAIRED_FROM: Final = (1, 39)
_SERVING: Final = b"\x08\x01"  # grpc.health.v1.HealthCheckResponse{status: SERVING}


class Connection:
    """Lazy and safe from many threads; `client()` raises Transient or Misconfigured, never the vendor's errors."""

    def __init__(self, http_url: str, *, grpc_url: str | None, api_key: str | None, timeout_s: float) -> None:
        self.url = http_url
        self._params = addresses(http_url, grpc_url)
        self._key = api_key
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._open: WeaviateClient | None = None

    def client(self) -> WeaviateClient:
        """The vendor's client, connected."""
        with self._lock:
            if self._open is None:
                self._open = self._connected()
            return self._open

    def version(self) -> tuple[int, ...]:
        """The server's version as numbers."""
        with translated(self.url):
            return numbers(str(self.client().get_meta()["version"]))

    def probe(self) -> str:
        """The server's version, once REST and gRPC have both answered.

        Raises:
            Misconfigured: too old, wrong key, or gRPC does not answer where REST does.
            Transient: nothing answers.
        """
        found = self.version()
        shown = ".".join(map(str, found))
        if found < _OLDEST:
            raise Misconfigured(f"Weaviate at {self.url} is {shown}, too old for aliases: upgrade it to 1.39 or newer")
        self._probe_grpc()
        return shown

    def close(self) -> None:
        """Ends the connection; a later use opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    def _connected(self) -> WeaviateClient:
        client = WeaviateClient(
            connection_params=self._params,
            auth_client_secret=Auth.api_key(self._key) if self._key else None,
            additional_config=AdditionalConfig(
                timeout=Timeout(init=10, query=self._timeout_s, insert=self._timeout_s),
                trust_env=True,  # proxies are the operator's decision
            ),
            skip_init_checks=True,  # otherwise it asks a package index for its own version
        )
        try:
            client.connect()
        except (WeaviateBaseError, httpx.HTTPError) as error:
            client.close()
            raise named(error, self.url) from error
        return client

    def _probe_grpc(self) -> None:
        where = f"{self._params.grpc.host}:{self._params.grpc.port}"
        channel = (
            grpc.secure_channel(where, grpc.ssl_channel_credentials())
            if self._params.grpc.secure
            else grpc.insecure_channel(where)
        )
        with channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")  # an empty request asks about the whole server
            try:
                reply = check(b"", timeout=10, wait_for_ready=False)
            except grpc.RpcError as error:
                raise Misconfigured(
                    f"Weaviate at {self.url} answers, but its gRPC port does not at {where}: set WEAVIATE_GRPC_URL"
                ) from error
        if not reply.startswith(_SERVING):
            raise Transient(f"Weaviate's gRPC at {where} says that it is not serving yet")


def numbers(version: str) -> tuple[int, ...]:
    """`1.39.0-rc.1` as (1, 39, 0)."""
    release = version.split("-", 1)[0].split("+", 1)[0]
    return tuple(int(part) for part in release.split(".") if part.isdigit())


def loses_replicas(version: tuple[int, ...]) -> bool:
    """True of servers whose read repair can lose objects that only some replicas hold."""
    line, patch = version[:2], version[2] if len(version) > 2 else 0  # noqa: PLR2004 - major, minor, patch
    return line < _REPAIRED_FROM and patch < _REPAIRED.get((line[0], line[1]), patch + 1)
