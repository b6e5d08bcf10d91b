"""Settings and a corpus to services, once, in one place; heavy doors open when a step first asks for them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from nightjar.adapters.quiet import silence_telemetry
from nightjar.adapters.s3_client import s3_client
from nightjar.adapters.s3_source import S3Source
from nightjar.adapters.s3_state import S3State
from nightjar.corpus import Corpus
from nightjar.flows.services import Progress, Services
from nightjar.ports import Embedder, Index, Inspector, Parser, Tokenizer
from nightjar.recipe import Recipe
from nightjar.settings import Settings
from nightjar.stages.chunk import CHUNK_RULES_VERSION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weaviate:
    """Where the index is; the key never shows in a repr."""

    http_url: str
    grpc_url: str | None
    api_key: str | None

    def __repr__(self) -> str:
        return f"Weaviate({self.http_url})"


@dataclass(frozen=True, slots=True)
class Doors:
    """The clients that differ between a shell and an Airflow worker."""

    source: S3Client
    state: S3Client
    weaviate: Weaviate


def doors_from(settings: Settings) -> Doors:
    """Clients for a shell: AWS_* as boto3 reads them, WEAVIATE_* from the settings."""
    client = s3_client()
    weaviate = Weaviate(settings.weaviate_url, settings.weaviate_grpc_url, settings.weaviate_api_key)
    return Doors(source=client, state=client, weaviate=weaviate)


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def open_services(
    corpus: Corpus, settings: Settings, *, doors: Doors | None = None, progress: Progress = silent
) -> Services:
    """The corpus's doors; call `services.close()` when done with them."""
    silence_telemetry()
    opened = doors or doors_from(settings)
    closing = ExitStack()
    state = urlsplit(corpus.state_uri)
    model = functools.cache(lambda: _model_files(corpus))
    tokenizer = functools.cache(lambda: _tokenizer(model()))
    parser = _closed_later(closing, lambda: _parser(corpus, settings))
    return Services(
        corpus=corpus,
        source=S3Source(opened.source, bucket=corpus.bucket, prefix=corpus.prefix),
        state=S3State(opened.state, bucket=state.netloc, prefix=state.path.strip("/")),
        index=_index(closing, opened.weaviate),
        recipe=functools.cache(lambda: _recipe(corpus, parser(), tokenizer(), model())),
        tokenizer=tokenizer,
        parser=parser,
        embedder=functools.cache(lambda: _embedder(corpus, settings, model())),
        inspector=functools.cache(lambda: _inspector(corpus)),
        clock=lambda: datetime.now(UTC),
        work_folder=settings.work_folder,
        lease_ttl_s=settings.lease_ttl_s,
        progress=progress,
        close=closing.close,
    )
