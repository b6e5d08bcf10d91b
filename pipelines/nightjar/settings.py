"""What the environment says: where corpus files, state, servers and working folders are. Read once, by the caller."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from nightjar.corpus import Corpora, Corpus, find_corpus, folder_uri, load_corpora
from nightjar.errors import Misconfigured

_GRPC_PORT: Final = 50051
_PORTS: Final = {"http": 80, "https": 443, "grpc": _GRPC_PORT, "grpcs": 443}
_CLOUD: Final = (".weaviate.cloud", ".weaviate.network")


@dataclass(frozen=True, slots=True)
class Server:
    """One listening side of a server."""

    host: str
    port: int
    secure: bool


@dataclass(frozen=True, slots=True)
class WeaviateServer:
    """Both sides of Weaviate, and the key, which never shows in a repr."""

    http: Server
    grpc: Server
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment as values. S3's own variables (AWS_*) are boto3's business and not repeated here."""

    corpora: Path
    state: str | None
    weaviate: WeaviateServer | None
    work: Path
    cache: Path
    lease_ttl: timedelta

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Self:
        """Settings from variables; empty ones count as absent.

        Raises:
            Misconfigured: names the variable, and what it should look like.
        """
        given = {name: value.strip() for name, value in env.items() if value.strip()}
        work = Path(given.get("NIGHTJAR_WORK") or Path(tempfile.gettempdir()) / f"nightjar-{os.getuid()}")
        return cls(
            corpora=Path(given.get("NIGHTJAR_CORPORA", "dags/corpora")),
            state=_state(given.get("NIGHTJAR_STATE")),
            weaviate=_weaviate(given),
            work=work,
            cache=Path(given.get("NIGHTJAR_CACHE") or work / "cache"),
            lease_ttl=_lease_ttl(given.get("NIGHTJAR_LEASE_TTL", "90")),
        )

    def corpus(self, name_or_path: str) -> Corpus:
        """The corpus of a name in the folder of corpus files, or of a path.

        Raises:
            Misconfigured: no such corpus, or its file is wrong.
        """
        return find_corpus(name_or_path, folder=self.corpora, default_state=self.state)

    def all_corpora(self) -> Corpora:
        """Every corpus file of the folder.

        Raises:
            Misconfigured: there is no such folder.
        """
        return load_corpora(self.corpora, default_state=self.state)

    def weaviate_server(self) -> WeaviateServer:
        """Where Weaviate listens.

        Raises:
            Misconfigured: WEAVIATE_URL is not set.
        """
        if self.weaviate is None:
            raise Misconfigured(
                "WEAVIATE_URL is not set; set it, such as http://127.0.0.1:8080, or source .nightjar/env"
            )
        return self.weaviate


def weaviate_server(url: str, *, grpc_url: str | None = None, api_key: str | None = None) -> WeaviateServer:
    """Both sides of a server from the addresses that people write.

    Without `grpc_url`: Weaviate Cloud's own host, else port 50051 of the same host.

    Raises:
        Misconfigured: an address that cannot be one; credentials in it are refused and not repeated.
    """
    http = _server("WEAVIATE_URL", url, schemes=("http", "https"), example="http://127.0.0.1:8080")
    if grpc_url is not None:
        written = grpc_url if "://" in grpc_url else f"grpc{'s' if http.secure else ''}://{grpc_url}"
        grpc = _server("WEAVIATE_GRPC_URL", written, schemes=("grpc", "grpcs"), example="127.0.0.1:50051")
    elif http.host.endswith(_CLOUD):
        grpc = Server(f"grpc-{http.host}", _PORTS["grpcs"], secure=True)
    else:
        grpc = Server(http.host, _GRPC_PORT, secure=http.secure)
    return WeaviateServer(http, grpc, api_key)


def _weaviate(given: Mapping[str, str]) -> WeaviateServer | None:
    url = given.get("WEAVIATE_URL")
    if url is None:
        return None
    return weaviate_server(url, grpc_url=given.get("WEAVIATE_GRPC_URL"), api_key=given.get("WEAVIATE_API_KEY"))


def _server(variable: str, url: str, *, schemes: tuple[str, ...], example: str) -> Server:
    refused = Misconfigured(f"{variable}: is no address that can be reached; write one such as {example}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise refused from error
    if _has_credentials(parts):
        raise Misconfigured(f"{variable}: holds credentials; remove them and set WEAVIATE_API_KEY")
    if parts.scheme not in schemes or not parts.hostname or parts.path.strip("/") or parts.query:
        raise refused
    return Server(parts.hostname, port or _PORTS[parts.scheme], secure=parts.scheme.endswith("s"))


def _has_credentials(parts: SplitResult) -> bool:
    return parts.username is not None or parts.password is not None


def _state(uri: str | None) -> str | None:
    try:
        return folder_uri(uri) if uri is not None else None
    except ValueError as error:
        raise Misconfigured(f"NIGHTJAR_STATE: {error}") from error


def _lease_ttl(seconds: str) -> timedelta:
    shortest, longest = 10, 3600
    if not seconds.isdecimal() or not shortest <= int(seconds) <= longest:
        raise Misconfigured(f"NIGHTJAR_LEASE_TTL: must be seconds from {shortest} to {longest}, such as 90")
    return timedelta(seconds=int(seconds))
