"""The two sides of a comparison: bounded samples of whole documents, from a version that is live and one that is not.

The unit is the document, never the chunk: a night brings whole documents, whose chunks resemble each other, so that
thresholds for random chunks would call every night unusual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from nightjar.model import Vector


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A sample: its documents, and chunk by chunk the text, vector (shape (chunks, dimensions)) and tokens.

    `owner` is, for each chunk, the place of its document in `documents`, whose chunks stand together; `contents` names
    what each document holds, so that equal ids with equal contents did not change.
    """

    documents: tuple[str, ...]
    contents: tuple[str, ...]
    uris: tuple[str, ...]
    titles: tuple[str, ...]
    owner: NDArray[np.intp]
    texts: tuple[str, ...]
    tokens: NDArray[np.int32]
    vectors: Vector

    @classmethod
    def of(cls, sample: pa.Table) -> Self:
        """From rows of `artifacts.SAMPLE`, a document's rows side by side."""
        ids = sample["document_id"].combine_chunks()
        runs = pc.run_end_encode(ids)
        starts = [0, *runs.run_ends.to_pylist()[:-1]] if len(ids) else []
        first = sample.select(["document_id", "content_key", "source_uri", "title"]).take(pa.array(starts, pa.int64()))
        owner = np.repeat(np.arange(len(starts)), np.diff([*starts, len(ids)])) if starts else np.empty(0, np.intp)
        flat = sample["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return cls(
            documents=tuple(first["document_id"].to_pylist()),
            contents=tuple(first["content_key"].to_pylist()),
            uris=tuple(first["source_uri"].to_pylist()),
            titles=tuple(title or "" for title in first["title"].to_pylist()),
            owner=owner.astype(np.intp),
            texts=tuple(sample["text"].to_pylist()),
            tokens=sample["token_count"].to_numpy(),
            vectors=np.asarray(flat, np.float32).reshape(len(ids), -1) if len(ids) else np.empty((0, 0), np.float32),
        )

    @property
    def chunks(self) -> NDArray[np.float64]:
        """Shape (documents,): how many chunks of each are in the sample."""
        return np.bincount(self.owner, minlength=len(self.documents)).astype(np.float64)

    @property
    def is_finite(self) -> bool:
        """Whether all its vectors are numbers that can be compared."""
        return bool(np.isfinite(self.vectors).all())

    def passages(self) -> Iterator[tuple[str, ...]]:
        """Each document's texts."""
        ends = np.cumsum(np.bincount(self.owner, minlength=len(self.documents)))
        for start, end in pairwise([0, *ends]):
            yield self.texts[start:end]

    def named(self, places: NDArray[np.bool_]) -> frozenset[str]:
        """Ids of the documents that hold in `places`, shape (documents,)."""
        return frozenset(self.documents[place] for place in np.flatnonzero(places))

    def holding(self, chunks: NDArray[np.bool_]) -> frozenset[str]:
        """Ids of the documents with a chunk that holds in `chunks`, shape (chunks,)."""
        return frozenset(self.documents[place] for place in self.owner[chunks])

    def summed(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Values of each chunk (first axis) summed up by document."""
        if not len(self.owner):
            return np.zeros((0, *values.shape[1:]))
        starts = np.searchsorted(self.owner, np.arange(len(self.documents)))  # a document's chunks stand together
        total: NDArray[np.float64] = np.add.reduceat(values.astype(np.float64), starts, axis=0)
        return total

    def unlike(self, other: Side) -> NDArray[np.intp]:
        """Places of its documents that the other side lacks, or has with another content."""
        theirs = set(zip(other.documents, other.contents, strict=True))
        ours = enumerate(zip(self.documents, self.contents, strict=True))
        return np.array([place for place, each in ours if each not in theirs], np.intp)

    def embedded_again(self, vectors: Vector) -> Self:
        """The same passages with another model's vectors."""
        return replace(self, vectors=vectors)


@dataclass(frozen=True, slots=True)
class Turnover:
    """How many of the live sample's documents the candidate's lacks, and how many it has instead or besides.

    A document whose content changed is one of each.
    """

    removed: int
    added: int

    @classmethod
    def between(cls, live: Side, night: Side) -> Self:
        """Counted over the two samples."""
        before, now = (
            set(zip(live.documents, live.contents, strict=True)),
            set(zip(night.documents, night.contents, strict=True)),
        )
        return cls(removed=len(before - now), added=len(now - before))

    def at_least(self, share: float, *, of: int) -> Turnover:
        """What a threshold is learnt for: not less than a share of the documents, so that one new file is no event."""
        least = int(np.ceil(share * of))
        return Turnover(removed=min(max(self.removed, least), of), added=max(self.added, least))
