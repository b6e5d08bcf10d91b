"""Elements to passages that the embedding model reads whole.

A passage follows the document's own structure, headings before paragraphs before sentences, and is cut by the model's
own tokens: nothing is above the limit and nothing is lost. Headings stay in the text where they stand; the headings
that a passage inherits become its context.
"""

from nightjar.stages.chunk.passages import chunk
from nightjar.stages.chunk.rules import CHUNK_RULES_VERSION, ChunkRules, usual_tokens

__all__ = ["CHUNK_RULES_VERSION", "ChunkRules", "chunk", "usual_tokens"]
