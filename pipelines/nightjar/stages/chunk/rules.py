"""What a corpus may choose about its chunks, and what it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nightjar.errors import Misconfigured
from nightjar.ports import Tokenizer

CHUNK_RULES_VERSION: Final = "3"
"""Raised whenever the same document and rules would give other chunks; part of the recipe."""

LONGEST_CONTEXT: Final = 40
"""Tokens of title and heading trail at most, and an eighth of the chunk: a vector is the mean over all tokens, and more
context would make a long document's passages alike."""

_USUAL_TOKENS: Final = (128, 256)

_SMALLEST_PASSAGE: Final = 16


@dataclass(frozen=True, slots=True)
class ChunkRules:
    """Limits in tokens of the embedding model.

    `max_tokens` bounds all that the model reads of one chunk: special tokens, `prompt_tokens` of its document prompt,
    context and text. `overlap_tokens` of whole sentences are repeated from the chunk before. Without `headings` no
    context is prefixed.
    """

    max_tokens: int
    overlap_tokens: int = 0
    headings: bool = True
    prompt_tokens: int = 0

    def room(self, tokenizer: Tokenizer) -> int:
        """Tokens left for context and text.

        Raises:
            Misconfigured: the model cannot read that many, or too little would be left for text.
        """
        if self.max_tokens > tokenizer.max_tokens:
            raise Misconfigured(
                f"chunk.max_tokens is {self.max_tokens} but the model reads {tokenizer.max_tokens} tokens: lower it."
            )
        room = self.max_tokens - tokenizer.special_tokens - self.prompt_tokens
        if room < _SMALLEST_PASSAGE:
            raise Misconfigured(
                f"chunk.max_tokens of {self.max_tokens} leaves {room} tokens for text"
                f" and at least {_SMALLEST_PASSAGE} are needed: raise it or shorten embed.document_prompt."
            )
        if not 0 <= self.overlap_tokens <= room // 2:
            raise Misconfigured(
                f"chunk.overlap_tokens is {self.overlap_tokens}; it must lie between 0 and {room // 2},"
                " half of what a chunk holds."
            )
        return room

    def context_room(self, tokenizer: Tokenizer) -> int:
        """Tokens that context may take: never more than an eighth of a chunk."""
        return min(LONGEST_CONTEXT, self.room(tokenizer) // 8)


def usual_tokens(tokenizer: Tokenizer) -> int:
    """`max_tokens` where a corpus names none: half of what the model reads, between 128 and 256, never above its limit.

    Models read more than they were trained on (all-MiniLM-L6-v2 reads 256 tokens and learnt on 128), and one vector
    says less about a passage the more topics it covers; `docs/measurements.md` has the figures.
    """
    least, most = _USUAL_TOKENS
    return min(tokenizer.max_tokens, max(least, min(most, tokenizer.max_tokens // 2)))
