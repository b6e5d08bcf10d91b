"""Is another model behind the same recipe seen by the canary? The default model, changed in ways that no recipe names.

    python benchmarks/drift_canary.py

One line a change: the lowest cosine over the fixed texts, and the verdict. `same` are controls, which must pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
from drift_corpora import MODEL, embedder
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer

from nightjar.adapters.embedder.model_files import locate
from nightjar.model import Vector
from nightjar.stages.drift import canary, canary_texts

RESULTS: Final = Path("benchmarks/results/drift_canary.json")
CACHE: Final = Path(".nightjar/bench/drift")


def model(*, pooling: str = "mean", is_normal: bool = True, noise: float = 0.0, seed: int = 0) -> SentenceTransformer:
    """The default model with another pooling, without normalisation, or with weights off by a share of their spread."""
    words = Transformer(str(locate(MODEL, revision=None).path))
    if noise:
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weights in words.parameters():
                spread = weights.std() if weights.numel() > 1 else 0
                weights.add_(torch.randn(weights.shape, generator=draw) * spread * noise)
    modules = [words, Pooling(words.get_word_embedding_dimension(), pooling_mode=pooling)]
    return SentenceTransformer(modules=[*modules, *([Normalize()] if is_normal else [])], device="cpu")


def embedded(made: SentenceTransformer) -> Vector:
    return np.asarray(made.encode(list(canary_texts()), batch_size=16), np.float32)


def bf16() -> Vector:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return embedded(model())


CHANGES: Final[Mapping[str, Callable[[], Vector]]] = {
    "same: torch, float32": lambda: embedded(model()),
    "same: torch, bf16 autocast": bf16,
    "pooling by the first token": lambda: embedded(model(pooling="cls")),
    "pooling by the maximum": lambda: embedded(model(pooling="max")),
    "without normalisation": lambda: embedded(model(is_normal=False)),
    **{
        f"weights off by {share:.0%}, seed {seed}": lambda share=share, seed=seed: embedded(
            model(noise=share, seed=seed)
        )
        for share in (0.05, 0.2)
        for seed in range(5)
    },
}


def main() -> None:
    before = embedder(CACHE).embed(canary_texts())
    rows = []
    for change, make in CHANGES.items():
        found = canary(before, make())
        state = "fail" if any(each.state == "fail" for each in found) else "none"
        rows.append({"change": change, "lowest_cosine": round(1 - found[0].value, 5), "state": state})
        print(json.dumps(rows[-1]), flush=True)
    RESULTS.write_text(json.dumps({"format": 1, "texts": len(canary_texts()), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
