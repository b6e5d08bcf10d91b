"""Is the evaluation gate red when retrieval is damaged, and quiet when it is not? Real Weaviate and model, fixed seeds.

    . .nightjar/env && NIGHTJAR_DATA=../shared/data .venv/bin/python benchmarks/evaluation.py [SET …]

Of each set a live collection is filled, then one for each damage and seed; the gate's own code asks up to 200 questions
of both by vector, by keyword and by both. Vectors are embedded once and kept under --cache. Writes
benchmarks/results/evaluation.json and prints a table; exits 1 where the gate was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from corpora import corpus_file
from development_data import development_data
from retrieval_offline import load

from nightjar.adapters.parser import sentences
from nightjar.artifacts import EmbeddedContent
from nightjar.corpus.policy import Evaluation
from nightjar.corpus.questions import GoldenQuestion, Relevant
from nightjar.flows.golden import Asked
from nightjar.flows.measuring import index_side
from nightjar.flows.services import Services
from nightjar.model import Chunk, CollectionName, EmbeddedChunk, IndexObject, Vector, document_id_of, sha256
from nightjar.ports import CollectionSchema
from nightjar.settings import Settings
from nightjar.stages.chunk import ChunkRules, chunk
from nightjar.stages.chunk.rules import usual_tokens
from nightjar.stages.evaluation.answers import Known
from nightjar.stages.evaluation.comparison import Compared, Side, compare
from nightjar.stages.evaluation.verdict import judge
from nightjar.stages.objects import index_objects
from nightjar.stages.properties import properties_of
from nightjar.wiring import open_services

SETS: Final = {"apidocs": 1, "coderag": 1, "squad2": 1, "covidqa": 5, "sec10q": 1, "nq": 1}
"""Each n-th document of a set."""
QUESTIONS: Final = 200
SEEDS: Final = (1, 2, 3)
SHARE: Final = 0.2
QUIET_SHARE: Final = 0.05
RESULTS: Final = Path("benchmarks/results/evaluation.json")


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """One document as it is indexed."""

    uri: str
    title: str
    chunks: tuple[Chunk, ...]
    vectors: Vector


Contents = tuple[Content, ...]
Damage = Callable[["Bench", Contents, np.random.Generator], Contents]


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """One set: the doors, and where vectors are kept."""

    services: Services
    cache: Path

    def embedded(self, contents: Sequence[tuple[str, str, tuple[Chunk, ...]]]) -> Contents:
        """(uri, title, chunks) with vectors, from the cache where they stand there."""
        texts = [each.embedded_text for _, _, chunks in contents for each in chunks]
        path = self.cache / f"{sha256(json.dumps(texts))[:32]}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            started = time.perf_counter()
            np.save(path, self.services.embedder().embed(texts))
            print(f"  embedded {len(texts)} chunks in {time.perf_counter() - started:.0f} s", flush=True)
        vectors = np.load(path)
        ends = np.cumsum([len(chunks) for _, _, chunks in contents])
        parts = np.split(vectors, ends[:-1])
        return tuple(Content(*each, part) for each, part in zip(contents, parts, strict=True))

    def side(self, name: str, contents: Contents, asked: Asked) -> Side:
        """A collection of these contents, asked and dropped."""
        collection = CollectionName(name)
        index = self.services.index
        index.drop(collection)
        index.create(collection, CollectionSchema(properties_of({}), "benchmark"))
        index.write(collection, objects(contents))
        side = index_side(self.services, collection, asked)
        index.drop(collection)
        return side


def objects(contents: Contents) -> Iterator[IndexObject]:
    for each in contents:
        embedded = tuple(map(EmbeddedChunk, each.chunks, each.vectors))
        row = {
            "document_id": document_id_of(each.uri),
            "key": each.uri.removeprefix("s3://bench/"),
            "digest": "",
            "uri": each.uri,
            "media_type": "text/plain",
            "acl": None,
            "document_modified_us": 0,
            "fields": "{}",
        }
        yield from index_objects(row, EmbeddedContent(each.title, "", "", embedded), fields={})


def as_it_is(_bench: Bench, contents: Contents, random: np.random.Generator) -> Contents:
    """The same objects in another order: another graph over an unchanged index."""
    return tuple(contents[place] for place in random.permutation(len(contents)))


def quiet(_bench: Bench, contents: Contents, random: np.random.Generator) -> Contents:
    """An ordinary night: 5 % of the documents lose their last chunk, where they have more."""
    chosen = set(random.choice(len(contents), max(1, round(QUIET_SHARE * len(contents))), replace=False).tolist())
    return tuple(
        replace(each, chunks=each.chunks[:-1], vectors=each.vectors[:-1])
        if n in chosen and len(each.chunks) > 1
        else each
        for n, each in enumerate(contents)
    )


def permuted(_bench: Bench, contents: Contents, random: np.random.Generator) -> Contents:
    """The vectors of 20 % of the documents belong to other chunks of these."""
    chosen = sorted(random.choice(len(contents), max(2, round(SHARE * len(contents))), replace=False).tolist())
    mixed = random.permutation(np.concatenate([contents[n].vectors for n in chosen]))
    parts = dict(zip(chosen, np.split(mixed, np.cumsum([len(contents[n].chunks) for n in chosen])[:-1]), strict=True))
    return tuple(replace(each, vectors=parts.get(n, each.vectors)) for n, each in enumerate(contents))


def tripled(bench: Bench, contents: Contents, _random: np.random.Generator) -> Contents:
    """Chunks three times the size: three neighbours are one, of which the model reads what it can."""
    return bench.embedded([(each.uri, each.title, tuple(_threes(each.chunks))) for each in contents])


def _threes(chunks: tuple[Chunk, ...]) -> Iterator[Chunk]:
    for start in range(0, len(chunks), 3):
        three = chunks[start : start + 3]
        yield replace(three[0], text="\n".join(each.text for each in three))


def headless(bench: Bench, contents: Contents, _random: np.random.Generator) -> Contents:
    """Titles and headings are lost, from the embedded text and from what keywords are looked for in."""
    bare = [(each.uri, "", tuple(replace(c, context="", heading_path=()) for c in each.chunks)) for each in contents]
    return bench.embedded(bare)


QUIET: Final[Mapping[str, Damage]] = {"unchanged index": as_it_is, "quiet night": quiet}
DAMAGES: Final[Mapping[str, Damage]] = {
    "vectors of 20 % permuted": permuted,
    "chunks three times the size": tripled,
    "headings lost": headless,
}
ONCE: Final = ("chunks three times the size", "headings lost")


def measure(bench: Bench, name: str, *, every: int) -> list[dict[str, Any]]:
    contents, asked = prepared(bench, name, every=every)
    collection = f"Evaluationbench{name.capitalize()}_b"
    live = bench.side(f"{collection}0", contents, asked)
    rows: list[dict[str, Any]] = []
    for what, damage in {**QUIET, **DAMAGES}.items():
        for seed in SEEDS[:1] if what in ONCE else SEEDS:
            changed = damage(bench, contents, np.random.default_rng(seed))
            side = bench.side(f"{collection}{len(rows) + 1}", changed, asked)
            compared = compare(side, live, pairs=asked.pairs)
            rows.append(judged(name, what, seed, compared, len(asked.questions)))
            print(line_of(rows[-1]), flush=True)
    return rows


def judged(name: str, what: str, seed: int, compared: Sequence[Compared], count: int) -> dict[str, Any]:
    """One row: the verdict by default and where 5 % are allowed; which searches lost nDCG@10 beyond its interval."""
    limits = Evaluation(questions="x.jsonl")
    verdict = judge(compared, questions=count, pairs=count, limits=limits)
    lenient = judge(compared, questions=count, pairs=count, limits=limits.model_copy(update={"max_regression": 0.05}))
    ndcg = [each for each in compared if each.measure == "ndcg" and each.difference and each.live]
    fell = [each.mode for each in ndcg if each.difference and each.difference.high < 0]
    return {
        "set": name,
        "change": what,
        "seed": seed,
        "questions": count,
        "state": verdict.state,
        "state_allowing_5_percent": lenient.state,
        "fell": fell,
        "ndcg": {each.mode: asdict(each) for each in ndcg},
    }


def prepared(bench: Bench, name: str, *, every: int) -> tuple[Contents, Asked]:
    loaded = load(development_data(f"retrieval/{name}"), every=every)
    tokenizer = bench.services.tokenizer()
    rules = ChunkRules(max_tokens=usual_tokens(tokenizer))
    cut = [
        (f"s3://bench/{name}/{key}", document.title, tuple(chunk(document, tokenizer=tokenizer, rules=rules)))
        for key, document in loaded.documents.items()
    ]
    contents = bench.embedded([each for each in cut if each[2]])
    questions = tuple(
        GoldenQuestion(text, tuple(_relevant(name, key) for key in loaded.judgments[query]), line)
        for line, (query, text) in enumerate(list(loaded.questions.items())[:QUESTIONS], start=1)
    )
    embedder = bench.services.embedder()
    vectors: Vector = np.stack([embedder.embed_query(each.text) for each in questions])
    return contents, Asked(Known(questions, ()), vectors, tuple(range(len(questions))), "benchmark")


def _relevant(name: str, key: str) -> Relevant:
    uri = f"s3://bench/{name}/{key}"
    return Relevant(document_id_of(uri), uri)


def line_of(row: Mapping[str, Any]) -> str:
    told = (
        f"{each['live']['mean']:.3f} {each['difference']['mean']:+.3f}"
        f" ({each['difference']['low']:+.3f} to {each['difference']['high']:+.3f})"
        for each in row["ndcg"].values()
    )
    return f"| {row['set']} | {row['change']} | {row['seed']} | {' | '.join(told)} | {row['state']} |"


def wrong(row: Mapping[str, Any]) -> bool:
    """Not red where nDCG@10 fell beyond its interval; or red in a quiet night in which it did not."""
    red = row["state"] == "fail"
    return not red if row["fell"] else red and row["change"] in QUIET


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("sets", nargs="*", default=list(SETS))
    options.add_argument("--cache", type=Path, default=Path(".nightjar/bench/evaluation"))
    chosen = options.parse_args()
    sentences.install()
    settings = Settings.from_environment(os.environ)
    services = open_services(settings.corpus(str(corpus_file("evaluation"))), settings)
    known: list[dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    rows = [row for row in known if row["set"] not in chosen.sets]
    print("| set | change | seed | nDCG@10 vector | keyword | hybrid | verdict |\n|---|---|---|---|---|---|---|")
    for name in chosen.sets:
        rows += measure(Bench(services, chosen.cache), name, every=SETS.get(name, 1))
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    services.close()
    mistakes = [row for row in rows if wrong(row)]
    print(f"{len(rows)} changes, {len(mistakes)} judged wrongly")
    return bool(mistakes)


if __name__ == "__main__":
    sys.exit(main())
