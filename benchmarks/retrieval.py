"""Nine retrieval sets end to end: how well vector, keyword and hybrid search find the document that answers.

    . .nightjar/env && .venv/bin/python benchmarks/retrieval.py [SET …]

Every set is ingested by `nightjar run` with default settings; each of the first 500 questions asks the alias for 100
chunks, and documents are ranked by their best one. Writes benchmarks/results/retrieval.json and prints a table.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from corpora import BUCKET, fresh, nightjar
from development_data import development_data
from ranx import Qrels, Run, evaluate

from nightjar.flows.services import Services
from nightjar.ports import Query
from nightjar.settings import Settings
from nightjar.wiring import open_services

MODES: Final = ("vector", "keyword", "hybrid")
METRICS: Final = ("ndcg@10", "recall@10")
QUESTIONS: Final = 500
CHUNKS: Final = 100
RESULTS: Final = Path("benchmarks/results/retrieval.json")


def questions_of(folder: Path) -> dict[str, str]:
    lines = (folder / "queries.jsonl").read_text().splitlines()[:QUESTIONS]
    return {str(q["id"]): q["text"] for q in map(json.loads, lines)}


def judgments_of(folder: Path, questions: dict[str, str]) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, score = line.split("\t")
        if query in questions:
            judged.setdefault(query, {})[document] = int(float(score))
    return judged


def ranked(services: Services, prefix: str, question: str, mode: str) -> dict[str, float]:
    vector = None if mode == "keyword" else services.embedder().embed_query(question)
    hits = services.index.search(services.corpus.alias, Query(mode=mode, text=question, vector=vector, limit=CHUNKS))
    best: dict[str, float] = {}
    for hit in hits:
        document = str(hit.properties["source_uri"]).removeprefix(prefix)
        best[document] = max(best.get(document, -1e9), hit.score)
    return best or {"nothing": 0.0}


def measure(name: str) -> dict[str, Any]:
    folder = development_data(f"retrieval/{name}")
    path = fresh(name, folder / "corpus")
    code, report, seconds = nightjar("run", path)
    again, second, _ = nightjar("run", path)
    questions = questions_of(folder)
    judged = judgments_of(folder, questions)
    services = open_services(
        Settings.from_environment(os.environ).corpus(str(path)), Settings.from_environment(os.environ)
    )
    prefix = f"s3://{BUCKET}/bench/{name}/"
    row: dict[str, Any] = {
        "set": name,
        "exit": [code, again],
        "states": [report.get("state"), second.get("state")],
        "seconds": round(seconds, 1),
        "documents": report["documents"],
        "chunks": report["chunks"],
        "stages": report["seconds"],
        "questions": len(judged),
    }
    for mode in MODES:
        run = {query: ranked(services, prefix, questions[query], mode) for query in judged}
        row[mode] = {k: round(float(v), 4) for k, v in evaluate(Qrels(judged), Run(run), list(METRICS)).items()}
    services.close()
    return row


def main() -> None:
    names = sys.argv[1:] or sorted(p.name for p in development_data("retrieval").iterdir() if p.is_dir())
    known = {row["set"]: row for row in (json.loads(RESULTS.read_text()) if RESULTS.exists() else [])}
    for name in names:
        known[name] = measure(name)
        RESULTS.write_text(json.dumps([known[n] for n in sorted(known)], indent=1))
        print(json.dumps(known[name]), flush=True)
    print("set        nDCG@10: vector keyword hybrid   recall@10: vector keyword hybrid   seconds  chunks")
    for row in (known[n] for n in sorted(known)):
        scores = [f"{row[mode][metric]:7.3f}" for metric in METRICS for mode in MODES]
        print(f"{row['set']:10}         {' '.join(scores)}   {row['seconds']:7} {row['chunks']['total']:7}")


if __name__ == "__main__":
    main()
