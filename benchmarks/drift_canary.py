"""Is another model behind the same recipe seen by the canary? The default model, changed in ways that no recipe names.

    python benchmarks/drift_canary.py

One line a change: the lowest cosine over the fixed texts, and the verdict. `same` are controls, which must pass; exit
code 1 where one does not, or another change does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import promises
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


SAME: Final = "same: "
CHANGES: Final[Mapping[str, Callable[[], Vector]]] = {
    f"{SAME}torch, float32": lambda: embedded(model()),
    f"{SAME}torch, bf16 autocast": bf16,
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


def main() -> int:
    before = embedder(CACHE).embed(canary_texts())
    rows = []
    for change, make in CHANGES.items():
        found = canary(before, make())
        state = "fail" if any(each.state == "fail" for each in found) else "none"
        rows.append({"change": change, "lowest_cosine": round(1 - found[0].value, 5), "state": state})
        print(json.dumps(rows[-1]), flush=True)
    RESULTS.write_text(json.dumps({"format": 1, "texts": len(canary_texts()), "rows": rows}, indent=1) + "\n")
    return promises.told(unkept(rows))


def unkept(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Sentences about what was promised and did not hold."""
    for kind, is_meant, state in (("controls pass", True, "none"), ("changes fail", False, "fail")):
        meant = [row["state"] for row in rows if row["change"].startswith(SAME) is is_meant]
        yield promises.share(kind, meant.count(state), of=len(meant), least=1.0)


if __name__ == "__main__":
    sys.exit(main())
