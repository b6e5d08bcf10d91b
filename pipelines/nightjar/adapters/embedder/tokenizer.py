"""The embedding model's own tokenizer, counting past every limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nightjar.adapters.embedder.model_files import ModelFiles
from nightjar.adapters.quiet import silence_telemetry
from nightjar.errors import Misconfigured, bounded
from nightjar.model import sha256

_BEYOND_ANY_TRUNCATION: Final = "a " * 600


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """One text as the model reads it: ids and segment ids, special tokens included; `unread` were cut from its end."""

    ids: Sequence[int]
    segments: Sequence[int]
    unread: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Model inputs by name, each of shape (texts, longest), int64, padded at the end."""

    inputs: dict[str, NDArray[np.int64]]


class ModelTokenizer:
    """Implements `nightjar.ports.Tokenizer`; also makes the inputs that the model reads, of documents and of questions.

    A word that its vocabulary refuses for its length alone (base64, unspaced Thai) is read in pieces.

    Raises:
        Misconfigured: the model has no tokenizer.json, or one that cannot be read.
    """

    def __init__(self, files: ModelFiles) -> None:
        silence_telemetry()
        from tokenizers import Tokenizer  # noqa: PLC0415 - must come after its switches are set

        source = files.path / "tokenizer.json"
        if not source.exists():
            raise Misconfigured(
                f"embed.model {files.name!r} has no tokenizer.json, so its tokens cannot be counted:"
                " save it once with a fast tokenizer, or choose another model."
            )
        self._content = source.read_text(encoding="utf-8")
        try:
            self._tokenizer: Any = Tokenizer.from_str(self._content)
        except Exception as error:  # the library raises bare Exception for every unreadable file
            raise Misconfigured(
                f"tokenizer.json of embed.model {files.name!r} cannot be read: {bounded(str(error))}"
            ) from error
        self._padding = int((self._tokenizer.padding or {}).get("pad_id", 0))
        self._tokenizer.no_truncation()  # all-MiniLM's file cuts at 128 in silence
        self._tokenizer.no_padding()
        _read_long_words_in_pieces(self._tokenizer)
        self._reader: Any = Tokenizer.from_str(self._tokenizer.to_str())
        self._reader.enable_truncation(files.max_seq_length)
        self._lowercases = files.lowercases
        self._max_tokens = files.max_seq_length
        self._special = int(self._tokenizer.num_special_tokens_to_add(is_pair=False))
        if self.count(_BEYOND_ANY_TRUNCATION) < len(_BEYOND_ANY_TRUNCATION) // 4:
            raise Misconfigured(f"the tokenizer of embed.model {files.name!r} truncates: choose another model.")

    @property
    def identity(self) -> str:
        """Digest of the tokenizer's file, of its limit and of the case it reads."""
        return sha256(f"{self._max_tokens}\0{self._lowercases}\0{self._content}")

    @property
    def max_tokens(self) -> int:
        """What the model reads of one text, special tokens included."""
        return self._max_tokens

    @property
    def special_tokens(self) -> int:
        """How many tokens the model adds to each text."""
        return self._special

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """(start, end) in characters of each token, without special tokens."""
        offsets: list[tuple[int, int]] = self._tokenizer.encode(self._cased(text), add_special_tokens=False).offsets
        return offsets

    def count(self, text: str) -> int:
        """Tokens of a text, without special tokens."""
        return len(self._tokenizer.encode(self._cased(text), add_special_tokens=False))

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Each text as the model reads it, cut at its limit with the special tokens kept."""
        cased = [self._cased(text) for text in texts]
        return [self._read(encoding) for encoding in self._reader.encode_batch(cased)]

    def batch(self, tokens: Sequence[Tokens]) -> Batch:
        """Inputs of shape (len(tokens), longest)."""
        shape = (len(tokens), max(len(one.ids) for one in tokens))
        ids = np.full(shape, self._padding, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        segments = np.zeros(shape, dtype=np.int64)
        for row, one in enumerate(tokens):
            ids[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
            segments[row, : len(one.ids)] = one.segments
        return Batch({"input_ids": ids, "attention_mask": mask, "token_type_ids": segments})

    def _read(self, encoding: Any) -> Tokens:
        unread = sum(len(cut) - self._special for cut in encoding.overflowing)
        return Tokens(encoding.ids, encoding.type_ids, unread)

    def _cased(self, text: str) -> str:
        # U+0130 is the only character whose lower case is longer, and would shift every offset after it.
        return text.replace("\u0130", "I").lower() if self._lowercases else text


def _read_long_words_in_pieces(tokenizer: Any) -> None:
    """WordPiece makes one unknown token of a word above its own limit, 100 characters, however well it knows its parts.

    The cut is made behind normalisation, which lengthens some words (a Hangul syllable becomes three characters).
    """
    from tokenizers import Regex, pre_tokenizers  # noqa: PLC0415 - as above

    longest = getattr(tokenizer.model, "max_input_chars_per_word", None)
    if longest is not None:
        pieces = pre_tokenizers.Split(Regex(rf"\S{{{longest}}}"), "isolated")
        before = [tokenizer.pre_tokenizer] if tokenizer.pre_tokenizer else []
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*before, pieces])
