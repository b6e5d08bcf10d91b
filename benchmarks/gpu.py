"""Embedding on a GPU against the same machine's processor, by torch, with how well their vectors agree.

    NIGHTJAR_DATA=../shared/data python benchmarks/gpu.py

Real articles in passages of eight sentences, each embedded once by either. Exit code 1 where a vector of the GPU is
farther from the processor's float32 than every runtime may be; says so and ends well where there is no GPU.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from development_data import development_data

from nightjar.adapters.embedder.choice import this_machine
from nightjar.adapters.embedder.conversion import AGREEMENT
from nightjar.adapters.embedder.model_files import ModelFiles, locate
from nightjar.adapters.embedder.tokenizer import ModelTokenizer
from nightjar.adapters.embedder.torch_runtime import TorchRuntime
from nightjar.adapters.embedder.transformer import TransformerEmbedder
from nightjar.stages.chunk.sentences import sentence_spans

MODEL: Final = "sentence-transformers/all-MiniLM-L6-v2"
SENTENCES: Final = 8
COMPARED: Final = 20  # every so many-th passage is compared
WARM: Final = 256


def passages() -> Iterator[str]:
    for path in sorted(development_data("retrieval/covidqa/corpus").glob("*.txt")):
        text = path.read_text("utf-8")
        spans = list(sentence_spans(text))
        for start in range(0, len(spans), SENTENCES):
            yield text[spans[start][0] : spans[min(start + SENTENCES, len(spans)) - 1][1]]


def seconds(embedder: TransformerEmbedder, texts: list[str]) -> float:
    embedder.embed(texts[:WARM])
    started = time.perf_counter()
    embedder.embed(texts)
    return time.perf_counter() - started


def least_cosine(files: ModelFiles, embedder: TransformerEmbedder, texts: list[str]) -> float:
    """Lowest cosine to the processor's float32, one text at a time."""
    tokenizer, exact = ModelTokenizer(files), TorchRuntime(files, device="cpu", bfloat16=False)
    found = embedder.embed(texts)
    wanted = (exact.vectors(tokenizer.batch(tokenizer.encode([text])))[0] for text in texts)
    return min(float(ours @ theirs) for ours, theirs in zip(found, wanted, strict=True))


def main() -> int:
    if not this_machine(ask_torch=False).cuda:
        print("not run: this machine has no GPU")
        return 0
    files, texts = locate(MODEL, revision=None), list(passages())
    with tempfile.TemporaryDirectory() as cache:
        gpu = TransformerEmbedder(files, cache_folder=Path(cache))
        cpu = TransformerEmbedder(files, backend="torch", device="cpu", cache_folder=Path(cache))
    fast, slow, least = seconds(gpu, texts), seconds(cpu, texts), least_cosine(files, gpu, texts[::COMPARED])
    print(f"{len(texts)} passages: {gpu.backend} {fast:.2f} s, {cpu.backend} {slow:.2f} s, {slow / fast:.1f} times")
    print(f"lowest cosine to float32 {least:.6f}; at least {AGREEMENT} is promised")
    return int(least < AGREEMENT)


if __name__ == "__main__":
    sys.exit(main())
