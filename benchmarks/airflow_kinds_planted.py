"""What is planted behind Nightjar's back for the time of one night: in what it stored, or behind the model's name.

The corpus has a copy of the default model, so that nobody else on this machine embeds with what is planted.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from corpora import FOLDER
from drift_canary import model
from drift_corpora import MODEL

from nightjar.adapters.embedder.conversion import converted
from nightjar.adapters.embedder.model_files import locate
from nightjar.adapters.embedder.tokenizer import ModelTokenizer
from nightjar.artifacts import EmbeddedContent, pack_vectors, unpack_vectors, vectors_key
from nightjar.flows.manifests import indexed, load_manifest
from nightjar.flows.services import Services
from nightjar.flows.versions import Version, read_live, read_version
from nightjar.model import EmbeddedChunk
from nightjar.settings import Settings
from nightjar.wiring import open_services

MODEL_COPY: Final = (FOLDER / "kinds-model").resolve()
_SHARE: Final = 0.2


@contextmanager
def model_copy() -> Iterator[None]:
    """The default model under a digest of its own, and its converted graph in the cache of Airflow's workers."""
    shutil.rmtree(MODEL_COPY, ignore_errors=True)
    shutil.copytree(locate(MODEL, revision=None).path, MODEL_COPY)
    (MODEL_COPY / "kinds.json").write_text(f'{{"made": {time.time_ns()}}}\n')
    graph = _graph(MODEL_COPY, cache=_cache())
    try:
        yield
    finally:
        shutil.rmtree(graph)
        shutil.rmtree(MODEL_COPY)


@contextmanager
def other_pooling() -> Iterator[None]:
    """The first token speaks for the text."""
    with _behind_the_recipe(pooling="cls"):
        yield


@contextmanager
def other_weights() -> Iterator[None]:
    """Off by a twentieth of their spread."""
    with _behind_the_recipe(noise=0.05):
        yield


@contextmanager
def without_normalisation() -> Iterator[None]:
    """Vectors are as long as they come."""
    with _behind_the_recipe(is_normal=False):
        yield


@contextmanager
def permuted_vectors() -> Iterator[None]:
    """Stored vectors of a fifth of the live documents belong to other passages of these."""
    with _stored(_drawn, _permuted):
        yield


@contextmanager
def exchanged_texts() -> Iterator[None]:
    """Stored passages of what the live version took the place of have their vectors, and the text of the next one."""
    with _stored(_replaced, _exchanged):
        yield


@contextmanager
def _stored(
    draw: Callable[[Services], dict[str, bytes]], spoil: Callable[[list[EmbeddedContent]], Iterator[EmbeddedContent]]
) -> Iterator[None]:
    """Contents of the state, by key, in the place of those that were drawn."""
    settings = Settings.from_environment(os.environ)
    services = open_services(settings.corpus("kinds"), settings)
    try:
        stored = draw(services)
        contents = [unpack_vectors(data, key=key) for key, data in stored.items()]
        for key, content in zip(stored, spoil(contents), strict=True):
            services.state.write(key, pack_vectors(content))
        yield
        for key, data in stored.items():
            services.state.write(key, data)
    finally:
        services.close()


@contextmanager
def _behind_the_recipe(*, pooling: str = "mean", noise: float = 0.0, is_normal: bool = True) -> Iterator[None]:
    """Another model's graph where that of the corpus's model is kept; every file that the recipe looks at is as it was.

    That is what a worker has whose cache was filled by another installation.
    """
    other, sound = FOLDER / "kinds-other", _graph(MODEL_COPY, cache=_cache())
    aside = sound.with_name(f"{sound.name}-aside")
    shutil.rmtree(other, ignore_errors=True)
    model(pooling=pooling, noise=noise, is_normal=is_normal).save_pretrained(str(other / "model"))
    graph = _graph(other / "model", cache=other / "cache")
    sound.rename(aside)
    try:
        shutil.copytree(graph, sound)
        yield
    finally:
        shutil.rmtree(sound)
        aside.rename(sound)
        shutil.rmtree(other)


def _graph(folder: Path, *, cache: Path) -> Path:
    files = locate(str(folder.resolve()), revision=None)
    return converted(files, ModelTokenizer(files), cache_folder=cache).parent


def _cache() -> Path:
    return Settings.from_environment(os.environ).cache


def _drawn(services: Services) -> dict[str, bytes]:
    """Stored contents of a fifth of the live documents, by key."""
    keys = sorted(_keys(services, _live(services)))
    return _read(services, random.Random(7).sample(keys, round(_SHARE * len(keys))))  # noqa: S311 - can be repeated


def _replaced(services: Services) -> dict[str, bytes]:
    """Those of the version before that the live one has no more."""
    live = _live(services)
    before = read_version(services.state, live.parent or 0)
    return _read(services, sorted(_keys(services, before) - _keys(services, live)))


def _live(services: Services) -> Version:
    live = read_live(services.state)
    if live is None:
        raise LookupError("nothing is live, so that nothing can be planted")
    return read_version(services.state, live.version)


def _keys(services: Services, version: Version) -> set[str]:
    rows = indexed(load_manifest(services.state, version.manifest)).to_pylist()
    return {vectors_key(row["embed_recipe"], row["content_key"]) for row in rows}


def _read(services: Services, keys: Sequence[str]) -> dict[str, bytes]:
    return {key: stored.data for key in keys if (stored := services.state.read(key))}


def _permuted(contents: list[EmbeddedContent]) -> Iterator[EmbeddedContent]:
    vectors = np.stack([each.vector for content in contents for each in content.chunks])
    mixed = iter(np.random.default_rng(7).permutation(vectors))
    for content in contents:
        chunks = tuple(EmbeddedChunk(each.chunk, next(mixed)) for each in content.chunks)
        yield replace(content, chunks=chunks)


def _exchanged(contents: list[EmbeddedContent]) -> Iterator[EmbeddedContent]:
    texts = [each.chunk.text for content in contents for each in content.chunks]
    turned = iter([*texts[1:], texts[0]])
    for content in contents:
        chunks = tuple(EmbeddedChunk(replace(each.chunk, text=next(turned)), each.vector) for each in content.chunks)
        yield replace(content, chunks=chunks)
