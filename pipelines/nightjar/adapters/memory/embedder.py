"""A tokenizer and an embedder without a model: deterministic, instant, and true to the ports' promises."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from nightjar.model import Vector

_WORD: Final = re.compile(r"\w+|[^\w\s]")


class MemoryTokenizer:
    """One token a word or punctuation mark; two special tokens a text. Counts add up at every white space."""

    def __init__(self, *, max_tokens: int = 256) -> None:
        self._max_tokens = max_tokens

    @property
    def identity(self) -> str:
        """Names the rule and the limit."""
        return f"words-{self._max_tokens}"

    @property
    def max_tokens(self) -> int:
        """What the pretended model reads, special tokens included."""
        return self._max_tokens

    @property
    def special_tokens(self) -> int:
        """One before and one after, as BERT has them."""
        return 2

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """(start, end) in characters of each token."""
        return [word.span() for word in _WORD.finditer(text)]

    def count(self, text: str) -> int:
        """Tokens of a text, without special tokens."""
        return len(self.offsets(text))


class MemoryEmbedder:
    """A unit vector per text, drawn by a generator that its digest seeds: equal texts are parallel, others are not.

    Records what it was asked in `embedded`, in order, so that a test can say what was embedded and what was reused.
    """

    def __init__(self, *, dimensions: int = 16, document_prompt: str = "", query_prompt: str = "") -> None:
        self._dimensions = dimensions
        self._document_prompt = document_prompt
        self._query_prompt = query_prompt
        self.embedded: list[str] = []

    @property
    def backend(self) -> str:
        """Says that no model is at work."""
        return "memory/cpu"

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), dimensions), float32, unit rows, in the order of `texts`."""
        self.embedded.extend(texts)
        vectors = np.empty((len(texts), self._dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._vector(self._document_prompt + text)
        return vectors

    def embed_query(self, text: str) -> Vector:
        """Shape (dimensions,), float32, unit length; with equal prompts a text finds itself."""
        return self._vector(self._query_prompt + text)

    def truncated_tokens(self, texts: Sequence[str]) -> int:
        """This model has no limit: always 0."""
        del texts
        return 0

    def _vector(self, text: str) -> Vector:
        seed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        drawn = np.random.default_rng(list(seed)).standard_normal(self._dimensions)
        unit: Vector = (drawn / np.linalg.norm(drawn)).astype(np.float32)
        return unit
