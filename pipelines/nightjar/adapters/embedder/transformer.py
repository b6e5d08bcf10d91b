"""Texts to unit vectors, by whichever runtime suits the machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from nightjar.adapters.embedder.batches import by_length
from nightjar.adapters.embedder.choice import Choice, choose, this_machine
from nightjar.adapters.embedder.conversion import ConversionFailed, converted
from nightjar.adapters.embedder.model_files import ModelFiles
from nightjar.adapters.embedder.openvino_runtime import OpenVinoRuntime
from nightjar.adapters.embedder.tokenizer import Batch, ModelTokenizer, Tokens
from nightjar.adapters.embedder.torch_runtime import TorchRuntime
from nightjar.errors import Misconfigured, bounded
from nightjar.model import Vector

log = logging.getLogger(__name__)

PRECISION: Final = "full"
"""Class of precision for the recipe: every runtime here stays within a cosine of 0.9999 of float32."""

_WINDOW: Final = 2_048  # texts sorted and held as tokens at a time, however many are asked for
_CPU_BUDGET: Final = 2_048  # tokens a batch: large enough to fill a core, small enough for its cache
_GPU_BUDGET: Final = 65_536


class Runtime(Protocol):
    """Runs batches in order."""

    def run(self, batches: Iterable[Batch]) -> Iterator[Vector]:
        """Vectors of each batch, shape (texts, dimensions), in the order of `batches`."""


class TransformerEmbedder:
    """Implements `nightjar.ports.Embedder`; the model is loaded on construction, which takes seconds.

    `backend` is auto, openvino or torch; `device` auto, cpu, cuda or cuda:N.
    What is converted is kept below `cache_folder`.

    Raises:
        Misconfigured: a backend or device that this machine lacks, or a model that cannot be loaded.
    """

    def __init__(
        self,
        files: ModelFiles,
        *,
        backend: str = "auto",
        device: str = "auto",
        document_prompt: str = "",
        query_prompt: str = "",
        cache_folder: Path,
    ) -> None:
        self._files = files
        self._document_prompt = document_prompt
        self._query_prompt = query_prompt
        self._tokenizer = ModelTokenizer(files)
        choice = choose(backend, device, machine=this_machine(ask_torch=device.startswith("cuda")))
        self._runtime, self._backend = self._started(choice, backend=backend, cache_folder=cache_folder)
        self._budget = _CPU_BUDGET if choice.device == "cpu" else _GPU_BUDGET
        if choice.device != "cpu":
            os.environ["TOKENIZERS_PARALLELISM"] = "true"  # a GPU reads faster than one core makes tokens
        log.info("embedding with %s by %s: %s", files.name, self._backend, choice.reason)

    @property
    def backend(self) -> str:
        """Runtime, device and precision, as `openvino/cpu/f32`."""
        return self._backend

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return self._files.dimensions

    def embed(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), dimensions), float32, unit rows, in the order of `texts`; equal ones are embedded once."""
        unique = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        vectors = self._embedded([self._document_prompt + text for text in unique])
        rows = np.fromiter((unique[text] for text in texts), dtype=np.intp, count=len(texts))
        return vectors if len(unique) == len(texts) else vectors[rows]

    def embed_query(self, text: str) -> Vector:
        """Shape (dimensions,), float32, unit length."""
        vector: Vector = self._embedded([self._query_prompt + text])[0]
        return vector

    def truncated_tokens(self, texts: Sequence[str]) -> int:
        """How many tokens of `texts`, document prompt included, the model would not read."""
        return sum(tokens.unread for tokens in self._tokenizer.encode([self._document_prompt + text for text in texts]))

    def _embedded(self, texts: Sequence[str]) -> Vector:
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _WINDOW):
            window = self._tokenizer.encode(texts[start : start + _WINDOW])
            self._fill(vectors[start : start + _WINDOW], window)
        return vectors

    def _fill(self, vectors: Vector, window: Sequence[Tokens]) -> None:
        batches = list(by_length([len(tokens.ids) for tokens in window], budget=self._budget))
        inputs = (self._tokenizer.batch([window[index] for index in batch]) for batch in batches)
        for batch, found in zip(batches, self._runtime.run(inputs), strict=True):
            vectors[batch] = found / np.linalg.norm(found, axis=1, keepdims=True)

    def _started(self, choice: Choice, *, backend: str, cache_folder: Path) -> tuple[Runtime, str]:
        if choice.runtime == "openvino":
            try:
                runtime = OpenVinoRuntime(converted(self._files, self._tokenizer, cache_folder=cache_folder))
            except ConversionFailed as error:
                reason = f"embed.model {self._files.name!r} has no OpenVINO form: {bounded(str(error))}"
                if backend == "openvino":
                    raise Misconfigured(f"{reason}; use embed.backend auto") from error
                log.warning("torch takes over: %s", reason)
                choice = choose("torch", "cpu", machine=this_machine(ask_torch=False))
            else:
                return runtime, f"openvino/cpu/{runtime.precision}"
        torch_runtime = TorchRuntime(self._files, device=choice.device, bfloat16=choice.bfloat16)
        return torch_runtime, f"torch/{choice.device}/{torch_runtime.precision}"
