"""What drift and evaluation cost over 100,000 chunks, or as many as asked for, against embedding as many: one run.

    . .nightjar/env && .venv/bin/python benchmarks/gates.py [CHUNKS]

Real servers; a parser and vectors without models. The second night replaces 5 % of the documents, and each of its gates
runs in a process of its own, as on Airflow, where the default model is loaded and embeds what the gate asks for, too.
Embedding is that model's rate over 512 of the same texts. Writes benchmarks/results/gates.json; exit code 1 where
100,000 chunks and more cost more than docs/drift.md promises.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np
import promises
import synthetic
from corpora import BUCKET, FOLDER, corpus_file, drop_index, empty
from drift_corpora import embedder

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from real_nights import opened_cheaply, spend

from nightjar.adapters.memory.embedder import MemoryEmbedder
from nightjar.flows.evaluating import evaluate
from nightjar.flows.fence import beating
from nightjar.flows.gates import gate
from nightjar.flows.granting import apply_access
from nightjar.flows.index import index, verify
from nightjar.flows.night import SHARD_STEPS, approved_plan
from nightjar.flows.runs import Options, Run, resume
from nightjar.flows.services import Services
from nightjar.flows.settle import settle
from nightjar.flows.versions import read_live
from nightjar.lease import Lease
from nightjar.model import CollectionName, Vector
from nightjar.owner import Owner
from nightjar.settings import Settings

CHUNKS: Final = int((sys.argv[1:] or ["100000"])[0])
CHUNK_WORDS: Final = 90  # some 128 tokens of the default model
DOCUMENT_WORDS: Final = 900
DOCUMENTS: Final = CHUNKS // 18  # what 900 words in paragraphs of five sentences become
QUESTIONS: Final = 200
TIMED_TEXTS: Final = 512
PROMISED_CHUNKS, MOST_SHARE, MOST_MB = 100_000, 0.05, 1000
NAME: Final = "gates"
PREFIX: Final = f"bench/{NAME}/"
RUN: Final = "second"
MODELS: Final = Path(".nightjar/bench/drift")

Step = Callable[[Services, Run, Lease], object]
STEPS: Final[Mapping[str, Step]] = {
    "access": apply_access,
    "drift": lambda services, run, _lease: gate(services, run),
    "index": lambda services, run, lease: index(services, run, lease=lease),
    "verify": lambda services, run, lease: verify(services, run, lease=lease),
    "evaluation": lambda services, run, lease: evaluate(services, run, lease=lease),
}


def main() -> int:
    prepare()
    services = opened()
    spend(services, "first")
    seeds = {name(number): f"new-{number}" for number in range(0, DOCUMENTS, 20)}
    synthetic.put(PREFIX, seeds, words=DOCUMENT_WORDS)
    lease = Lease.acquire(services.state, run_id=RUN, owner=Owner.command(), ttl_s=services.lease_ttl_s)
    with lease.beating():
        run = settle(services, run_id=RUN, actor="bench", options=Options(), lease=lease)
        for shard in approved_plan(services, run, lease).shards:
            for step, _ in SHARD_STEPS:
                step(services, run, shard.number)
        costs = {each: in_a_process(each) for each in STEPS}
    lease.release()
    chunks, seconds = embedding(services)
    result = {
        "chunks": chunks,
        "documents": DOCUMENTS,
        "questions": QUESTIONS,
        "embedding of as many chunks, s": round(seconds),
        **{f"{each}, {what}": costs[each][what] for each in ("drift", "evaluation") for what in ("s", "peak MB")},
        "gates over embedding": round((costs["drift"]["s"] + costs["evaluation"]["s"]) / seconds, 4),
    }
    Path("benchmarks/results/gates.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    drop_index(services.corpus.alias)
    services.close()
    return promises.told(unkept(result)) if chunks >= PROMISED_CHUNKS else 0


def unkept(result: Mapping[str, float]) -> Iterator[str]:
    """Sentences about limits that were exceeded."""
    yield promises.at_most("gates over embedding", result["gates over embedding"], most=MOST_SHARE)
    for name in ("drift, peak MB", "evaluation, peak MB"):
        yield promises.at_most(name, result[name], most=MOST_MB)


def prepare() -> None:
    """Documents, and questions about them: each the first sentence of a document that stays; the model, converted."""
    embedder(MODELS)
    for bucket in (BUCKET, "nightjar-state"):
        empty(bucket, prefix=PREFIX)
    services = opened()
    drop_index(services.corpus.alias)
    services.close()
    synthetic.put(PREFIX, {name(n): f"old-{n}" for n in range(DOCUMENTS)}, words=DOCUMENT_WORDS)
    asked = (n for n in range(DOCUMENTS) if n % 20)
    lines = (
        {"question": synthetic.document(f"old-{n}", words=1).split("\n\n")[1][:200], "relevant": [uri(n)]}
        for n in islice(asked, QUESTIONS)
    )
    FOLDER.joinpath(f"{NAME}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def name(number: int) -> str:
    return f"{number % 100:02}/{number:06}.txt"


def uri(number: int) -> str:
    return f"s3://{BUCKET}/{PREFIX}{name(number)}"


def opened() -> Services:
    file = corpus_file(
        NAME,
        index={"alias": "BenchGates", "strategy": "blue_green"},
        chunk={"max_tokens": CHUNK_WORDS},
        drift={"stops": "never"},  # vectors without a model say nothing about the texts
        evaluation={"questions": f"./{NAME}.jsonl", "max_regression": "100%"},
    )
    services = opened_cheaply(Settings.from_environment(os.environ).corpus(str(file)), os.environ)
    model = Flat()
    return replace(services, embedder=lambda: model)


class Flat(MemoryEmbedder):
    """384 numbers that say what 16 do: no graph finds neighbours among 100,000 that have nothing in common."""

    def __init__(self) -> None:
        super().__init__(dimensions=16)
        columns = np.random.default_rng(0).standard_normal((384, 16))
        self._base = np.linalg.qr(columns)[0].T.astype(np.float32)

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        return 384

    def embed(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), 384)."""
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vector:
        """Shape (384,)."""
        vector = super().embed_query(text) @ self._base
        unit: Vector = vector / np.linalg.norm(vector)
        return unit


class Weighed(Flat):
    """Does the default model's work besides, for its seconds and memory; its vectors are not those of the index."""

    def __init__(self) -> None:
        super().__init__()
        self._model = embedder(MODELS)

    def embed(self, texts: Sequence[str]) -> Vector:
        """Shape (len(texts), 384)."""
        self._model.embed(texts)
        return np.stack([super(Weighed, self).embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vector:
        """Shape (384,)."""
        self._model.embed_query(text)
        return super().embed_query(text)


def in_a_process(step: str) -> dict[str, float]:
    """Seconds and peak memory of one task of the run."""
    spawning = get_context("spawn")
    receiver, sender = spawning.Pipe(duplex=False)
    process = spawning.Process(target=_task, args=(step, sender))
    process.start()
    told: dict[str, float] = receiver.recv()
    process.join()
    print(step, told, file=sys.stderr, flush=True)
    return told


def _task(step: str, sender: Connection) -> None:
    services = replace(opened(), embedder=functools.cache(Weighed))
    lease = Lease.attach(services.state, run_id=RUN)
    with beating(services, lease) as fenced:
        run = resume(fenced, RUN)
        started = time.perf_counter()
        STEPS[step](fenced, run, lease)
        seconds = time.perf_counter() - started
    # Not getrusage: a child begins with the peak of whoever started it.
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    [peak] = [int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM")]
    sender.send({"s": round(seconds, 1), "peak MB": peak})
    services.close()


def embedding(services: Services) -> tuple[int, float]:
    """Chunks of what is live, and seconds that the default model needs for as many of them."""
    live = read_live(services.state)
    if live is None:
        raise SystemExit("nothing is live")
    collection = CollectionName(live.collection)
    texts = [
        str(item.properties["text"]) for item in islice(services.index.scan(collection, vectors=False), TIMED_TEXTS)
    ]
    model = embedder(MODELS)
    model.embed(texts[:32])
    started = time.perf_counter()
    model.embed(texts)
    chunks = services.index.count(collection)
    return chunks, (time.perf_counter() - started) / len(texts) * chunks


if __name__ == "__main__":
    sys.exit(main())
