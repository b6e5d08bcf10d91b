"""A language small enough to reason about: a model by words, documents about topics, and a question for each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nightjar.adapters.memory.embedder import MemoryEmbedder
from nightjar.model import Vector

TOPICS = ("leave", "travel", "parking", "lunch", "laptop", "badge", "salary", "holiday")


class WordEmbedder(MemoryEmbedder):
    """Texts with words in common are near each other.

    A text with the word `damaged` stands anywhere. A word means the same with an `x` before it, which no search by
    keyword knows.
    """

    def __init__(self) -> None:
        super().__init__(dimensions=64)
        self.damaged = ""

    def _vector(self, text: str) -> Vector:
        words = [word.removeprefix("x") for word in text.lower().replace(".", " ").replace("#", " ").split()]
        if self.damaged and self.damaged in words:
            words = [text]
        total = np.sum([super(WordEmbedder, self)._vector(word) for word in words], axis=0)
        unit: Vector = (total / np.linalg.norm(total)).astype(np.float32)
        return unit


def text_of(topic: str, *more: str) -> str:
    """A document about a topic."""
    return f"# {topic.capitalize()}\n\nThe rules of {topic} for everybody. {' '.join(more)}"


def unsearchable(topic: str) -> str:
    """The same to the model, and nothing to a search by keyword."""
    return f"# X{topic}\n\nXthe xrules xof x{topic} xfor xeverybody."


def questions_about(folder: Path, topics: tuple[str, ...] = TOPICS) -> Path:
    """A file with one question a topic, answered by the document of its name."""
    path = folder / "questions.jsonl"
    lines = [{"question": f"rules of {topic}", "relevant": [f"s3://documents/h/{topic}.txt"]} for topic in topics]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path
