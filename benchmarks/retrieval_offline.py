"""What chunking and model are worth alone: parse → chunk → embed → exact cosine, without S3, Weaviate or Airflow.

    NIGHTJAR_DATA=../shared/data python benchmarks/retrieval_offline.py --sets covidqa,nq --max-tokens 200,240

A document's score is that of its best chunk among the 100 best chunks; nDCG@10 and recall@10 over the first 500
questions that the set judges. One line a set and setting, with the time that embedding took.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from development_data import development_data
from ranx import Qrels, Run, evaluate

from nightjar.adapters.embedder.model_files import locate
from nightjar.adapters.embedder.tokenizer import ModelTokenizer
from nightjar.adapters.embedder.transformer import TransformerEmbedder
from nightjar.adapters.parser import media_types, sentences
from nightjar.adapters.parser.jobs import Paper
from nightjar.model import ParsedDocument, Vector
from nightjar.stages.chunk import ChunkRules, chunk

SETS: Final = ("apidocs", "chunkeval", "coderag", "covidqa", "medquad", "nq", "sec10q", "squad2", "xquad")
QUESTIONS: Final = 500
CANDIDATES: Final = 100
MEDIA_TYPES: Final = {
    ".html": media_types.HTML,
    ".md": media_types.MARKDOWN,
    ".pdf": media_types.PDF,
    ".txt": media_types.PLAIN,
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A retrieval set: documents by id, questions by id, judgments by question and document."""

    documents: Mapping[str, ParsedDocument]
    questions: Mapping[str, str]
    judgments: Mapping[str, Mapping[str, int]]


def load(folder: Path, *, every: int) -> Judged:
    """One set; with `every` above 1 only each n-th document and the questions that are judged for those."""
    files = sorted(file for file in (folder / "corpus").rglob("*") if file.is_file())[::every]
    documents = {file.relative_to(folder / "corpus").as_posix(): parsed(file) for file in files}
    judgments: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        question, document, score = line.split("\t")
        if document in documents:
            judgments.setdefault(question, {})[document] = int(score)
    lines = (folder / "queries.jsonl").read_text("utf-8").splitlines()
    asked = {row["id"]: row["text"] for row in map(json.loads, lines[:QUESTIONS]) if row["id"] in judgments}
    return Judged(documents, asked, {question: judgments[question] for question in asked})


def parsed(file: Path) -> ParsedDocument:
    """In this process: development data, not a stranger's files."""
    from nightjar.adapters.parser.readers import read  # noqa: PLC0415 - after the sentence rules are in place

    media_type = MEDIA_TYPES.get(file.suffix) or media_types.code_type(file.suffix[1:])
    paper = Paper(str(file), file.suffix, "", "", media_type=media_type)
    return read(paper, strategy="auto", languages=("eng",))


def ranking(question: Vector, vectors: Vector, owners: Sequence[str]) -> dict[str, float]:
    """Documents by their best chunk among the best candidates."""
    scores = vectors @ question
    best: dict[str, float] = {}
    for index in np.argsort(-scores, kind="stable")[:CANDIDATES]:
        best.setdefault(owners[index], float(scores[index]))
    return best


def measured(judged: Judged, embedder: TransformerEmbedder, tokenizer: ModelTokenizer, rules: ChunkRules) -> str:
    """Scores and cost of one setting, as one line."""
    passages = list(embedded_texts(judged, tokenizer, rules))
    owners = [document for document, _ in passages]
    texts = [text for _, text in passages]
    started = time.perf_counter()
    vectors = embedder.embed(texts)
    seconds = time.perf_counter() - started
    found = {key: ranking(embedder.embed_query(text), vectors, owners) for key, text in judged.questions.items()}
    scores = evaluate(Qrels(dict(judged.judgments)), Run(found), ["ndcg@10", "recall@10"], make_comparable=True)
    figures = f"nDCG@10 {scores['ndcg@10']:.4f}  recall@10 {scores['recall@10']:.4f}  {len(texts):6d} chunks"
    return f"{figures}  unread {embedder.truncated_tokens(texts)}  {len(texts) / seconds:6.1f} chunks/s"


def embedded_texts(judged: Judged, tokenizer: ModelTokenizer, rules: ChunkRules) -> Iterator[tuple[str, str]]:
    """(document id, embedded text) of every chunk."""
    for document, content in judged.documents.items():
        for one in chunk(content, tokenizer=tokenizer, rules=rules):
            yield document, one.embedded_text


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sets", default=",".join(SETS))
    options.add_argument("--max-tokens", default="200")
    options.add_argument("--every", type=int, default=1, help="take each n-th document only")
    options.add_argument("--no-headings", action="store_true", help="without title and headings as context")
    options.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2")
    options.add_argument("--cache", type=Path, default=Path(".nightjar/models"))
    chosen = options.parse_args()
    sentences.install()
    files = locate(chosen.model, revision=None)
    tokenizer = ModelTokenizer(files)
    embedder = TransformerEmbedder(files, cache_folder=chosen.cache)
    home = development_data("retrieval")
    for name in chosen.sets.split(","):
        judged = load(home / name, every=chosen.every)
        for max_tokens in map(int, chosen.max_tokens.split(",")):
            rules = ChunkRules(max_tokens=max_tokens, headings=not chosen.no_headings)
            line = measured(judged, embedder, tokenizer, rules)
            print(f"{name:10s} {len(judged.questions):4d} questions  max_tokens {max_tokens:3d}  {line}", flush=True)


if __name__ == "__main__":
    main()
