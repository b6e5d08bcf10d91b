"""Settings and a corpus to services, once, in one place; heavy doors open when a step first asks for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nightjar.adapters.embedder.model_files import ModelFiles, locate
from nightjar.adapters.embedder.tokenizer import ModelTokenizer
from nightjar.adapters.gx_inspector import GxInspector
from nightjar.adapters.ir_scorer import IrScorer
from nightjar.adapters.quiet import silence_telemetry
from nightjar.adapters.s3_client import s3_client
from nightjar.adapters.s3_source import S3Source
from nightjar.adapters.s3_state import S3State
from nightjar.corpus import Corpus
from nightjar.flows.services import Progress, Services, unseen
from nightjar.opening import ahead, once
from nightjar.ports import Embedder, Index, Parser, Tokenizer
from nightjar.recipe import Recipe
from nightjar.settings import Settings
from nightjar.stages.chunk import CHUNK_RULES_VERSION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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


def open_services(
    corpus: Corpus, settings: Settings, *, doors: Doors | None = None, progress: Progress = unseen
) -> Services:
    """The corpus's doors; call `services.close()` when done with them."""
    silence_telemetry()
    closing = ExitStack()
    opened = doors or doors_from(settings)
    if doors is None:
        closing.callback(opened.state.close)  # one client serves both
    state = corpus.state_place
    model = once(lambda: locate(corpus.embed.model, revision=corpus.embed.revision))
    tokenizer = once(lambda: ModelTokenizer(model()))
    parser = _closed_later(closing, lambda: _parser(corpus, settings))
    inspector = once(lambda: GxInspector(corpus.quality.suites))
    embedder = once(lambda: _embedder(corpus, settings, model()))
    return Services(
        corpus=corpus,
        source=S3Source(opened.source, bucket=corpus.bucket, prefix=corpus.prefix),
        state=S3State(opened.state, bucket=state.bucket, prefix=state.prefix),
        open_index=once(lambda: _index(closing, opened.weaviate)),
        recipe=once(lambda: _recipe(corpus, parser(), tokenizer(), model())),
        tokenizer=tokenizer,
        parser=parser,
        embedder=embedder,
        inspector=inspector,
        scorer=IrScorer(),
        clock=lambda: datetime.now(UTC),
        work_folder=settings.work,
        lease_ttl_s=settings.lease_ttl.total_seconds(),
        progress=progress,
        close=closing.close,
        opened_ahead=lambda: ahead(lambda: inspector().load(), embedder),
    )


def _closed_later(closing: ExitStack, make: Callable[[], Parser]) -> Callable[[], Parser]:
    """`make` once, at first use, and end its processes with the services."""

    def opened() -> Parser:
        parser = make()
        closing.callback(parser.close)
        return parser

    return once(opened)


def _index(closing: ExitStack, where: Weaviate) -> Index:
    from nightjar.adapters.weaviate_index.index import WeaviateIndex  # noqa: PLC0415 - half of all imports; many steps never ask the index

    index = WeaviateIndex(http_url=where.http_url, grpc_url=where.grpc_url, api_key=where.api_key)
    closing.callback(index.close)
    return index


def _parser(corpus: Corpus, settings: Settings) -> Parser:
    from nightjar.adapters.parser.pool import UnstructuredParser  # noqa: PLC0415 - as above

    rules = corpus.parse
    return UnstructuredParser(
        strategy=rules.strategy,
        languages=rules.languages,
        timeout=rules.timeout,
        memory_bytes=rules.memory,
        workers=rules.workers,
        work_folder=settings.work,
    )


def _embedder(corpus: Corpus, settings: Settings, model: ModelFiles) -> Embedder:
    from nightjar.adapters.embedder.transformer import TransformerEmbedder  # noqa: PLC0415 - as above

    rules = corpus.embed
    return TransformerEmbedder(
        model,
        backend=rules.backend,
        device=rules.device,
        document_prompt=rules.document_prompt,
        query_prompt=rules.query_prompt,
        cache_folder=settings.cache,
    )


def _recipe(corpus: Corpus, parser: Parser, tokenizer: Tokenizer, model: ModelFiles) -> Recipe:
    """Everything that shapes a result; what only decides where and how fast it is made stays out."""
    chunk = corpus.chunk
    return Recipe(
        parse=dict(parser.recipe),
        chunk={
            "rules": str(CHUNK_RULES_VERSION),
            "max_tokens": str(chunk.max_tokens or "usual"),
            "overlap_tokens": str(chunk.overlap_tokens),
            "headings": str(chunk.headings),
            "tokenizer": tokenizer.identity,
        },
        embed={
            "model": corpus.embed.model,
            "weights": model.digest,
            "document_prompt": corpus.embed.document_prompt,
            "precision": "full",
        },
    )
