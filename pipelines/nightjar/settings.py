"""What the environment says: where corpus files, state, servers and working folders are. Read once, by the caller."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

from nightjar.corpus import Corpora, Corpus, find_corpus, folder_uri, load_corpora
from nightjar.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment as values. S3's own variables (AWS_*) are boto3's business and not repeated here."""

    corpora: Path
    state: str | None
    work: Path
    cache: Path
    lease_ttl: timedelta
    weaviate: str | None
    weaviate_grpc_url: str | None
    weaviate_api_key: str | None = field(repr=False)

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
            work=work,
            cache=Path(given.get("NIGHTJAR_CACHE") or work / "cache"),
            lease_ttl=_lease_ttl(given.get("NIGHTJAR_LEASE_TTL", "90")),
            weaviate=_address("WEAVIATE_URL", given),
            weaviate_grpc_url=_address("WEAVIATE_GRPC_URL", given),
            weaviate_api_key=given.get("WEAVIATE_API_KEY"),
        )

    def corpus(self, name_or_path: str) -> Corpus:
        """The corpus of a name in the folder of corpus files, or of a path.

        Raises:
            Misconfigured: no such corpus, or its file is wrong.
        """
        if not name_or_path.strip():
            raise Misconfigured("a corpus is asked for by its name, and this one is empty: `nightjar list` shows them")
        return find_corpus(name_or_path, folder=self.corpora, default_state=self.state)

    def all_corpora(self) -> Corpora:
        """Every corpus file of the folder.

        Raises:
            Misconfigured: there is no such folder.
        """
        return load_corpora(self.corpora, default_state=self.state)

    @property
    def weaviate_url(self) -> str:
        """Where Weaviate answers over HTTP.

        Raises:
            Misconfigured: WEAVIATE_URL is not set.
        """
        if self.weaviate is None:
            raise Misconfigured(
                "WEAVIATE_URL is not set: set it, such as http://127.0.0.1:8080, or source .nightjar/env"
            )
        return self.weaviate


def _address(variable: str, given: Mapping[str, str]) -> str | None:
    """The address as it was written: its meaning is the adapter's business, but a password must not get that far."""
    written = given.get(variable)
    if written is not None and "@" in written:
        raise Misconfigured(f"{variable}: holds credentials; remove them and set WEAVIATE_API_KEY")
    return written


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
