"""Which documents say what another one says already: exactly, or nearly.

Each text becomes a small sketch (a digest and sixteen minimum hashes over all its substrings of twelve characters):
shards make sketches, and the gate compares them without reading a text again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nightjar.model import sha256

_LONGEST: Final = 60_000
_SHINGLE: Final = 12
_HASHES: Final = 16
_BAND: Final = 4
_AGREEING: Final = 13

_random = np.random.default_rng(20_240_229)  # fixed: sketches of two nights must compare
_FACTORS: Final = _random.integers(1, 2**63, _HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFTS: Final = _random.integers(0, 2**63, _HASHES, dtype=np.uint64)
_BASE: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A text for comparing: the digest of what it says, and minimum hashes that agree as often as the texts do."""

    digest: str
    hashes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many of `documents` repeat an earlier one; a document counts once, as exact before near."""

    documents: int
    exact: int
    near: int

    @property
    def count(self) -> int:
        """Documents that repeat another, either way."""
        return self.exact + self.near


def sketch(text: str) -> Sketch:
    """The sketch of a text; case and white space do not matter. Reads the first 60,000 characters for the hashes."""
    plain = " ".join(text.casefold().split())
    return Sketch(sha256(plain), tuple(int(h) for h in _minimum_hashes(plain[:_LONGEST])))


def count_repeats(sketches: Iterable[Sketch]) -> Repeats:
    """Compare each sketch with those before it, in linear time: only the first of each band is remembered.

    Near means that 13 of 16 hashes agree, about 0.8 of both texts' substrings and more.
    """
    documents = exact = near = 0
    digests: set[str] = set()
    bands: dict[tuple[int, ...], Sketch] = {}
    for one in sketches:
        documents += 1
        keys = [(place, *one.hashes[place : place + _BAND]) for place in range(0, _HASHES, _BAND)]
        if one.digest in digests:
            exact += 1
        elif any(_alike(one, bands[key]) for key in keys if key in bands):
            near += 1
        digests.add(one.digest)
        for key in keys:
            bands.setdefault(key, one)
    return Repeats(documents, exact, near)


def _alike(one: Sketch, other: Sketch) -> bool:
    return sum(a == b for a, b in zip(one.hashes, other.hashes, strict=True)) >= _AGREEING


def _minimum_hashes(text: str) -> NDArray[np.uint64]:
    """Shape (16,): the least value of each hash function over all substrings of twelve characters."""
    codes = np.frombuffer(text.ljust(_SHINGLE).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    rolled = np.zeros(len(codes) - _SHINGLE + 1, dtype=np.uint64)
    for place in range(_SHINGLE):
        rolled = rolled * _BASE + codes[place : place + len(rolled)]
    rolled ^= rolled >> np.uint64(29)
    # one function after the other: sixteen at once would need sixteen times the memory
    return np.array([(rolled * a + b).min() >> np.uint64(16) for a, b in zip(_FACTORS, _SHIFTS, strict=True)])
