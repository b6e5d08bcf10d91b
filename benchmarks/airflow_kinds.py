"""A night of each kind through the DAG of a real Airflow: what goes live, what is rejected, by which task and why.

    make airflow && . .nightjar/env
    NIGHTJAR_DATA=../shared/data PYTHONPATH=. .venv/bin/python benchmarks/airflow_kinds.py

Eighty paragraphs of squad2 and its questions about them are the corpus `kinds`; its corpus file and its questions lie
in dags/corpora and expectations/questions only while this runs. After each damage the documents are restored and
another night follows. Prints a row a night, writes benchmarks/results/airflow-kinds.json; exits 1 where a night
ended otherwise than it should.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from corpora import BUCKET, DATA, corpus_file, drop_index, empty, nightjar
from drift import BANNER, cut, misread

from tools.airflow_rest import Airflow
from tools.stack.airflow import USER
from tools.stack.place import Port, place_from_environment
from tools.stack.secret import local_secrets

DAG: Final = "reindex_kinds"
PREFIX: Final = "bench/kinds/"
CORPUS: Final = Path("dags/corpora/kinds.yaml")
QUESTIONS: Final = Path("expectations/questions/kinds.jsonl")
RESULTS: Final = Path("benchmarks/results/airflow-kinds.json")
SETS: Final = DATA / "retrieval"
DOCUMENTS: Final = 80

Documents = Mapping[str, str]
Change = Callable[[Documents, random.Random], Documents]


@dataclass(frozen=True, slots=True)
class Kind:
    """What happens to the documents, and how the night should end; `red` is a task, `drift` that gate's verdict.

    Where the change does not stay, the documents are restored for a night of their own.
    """

    name: str
    change: Change
    state: str
    red: str = ""
    drift: str | None = "none"
    stays: bool = False


def as_it_was(documents: Documents, _chance: random.Random) -> Documents:
    return documents


def hurt(damage: Callable[[str], str], *, one_in: int = 10) -> Change:
    """So many of the documents, drawn by chance."""
    return lambda documents, chance: {
        **documents,
        **{name: damage(documents[name]) for name in chance.sample(sorted(documents), len(documents) // one_in)},
    }


def half_misread(text: str) -> str:
    """Mostly too little for the quality gate to set the document aside."""
    return misread(text[: len(text) // 2]) + text[len(text) // 2 :]


def new_topic(documents: Documents, chance: random.Random) -> Documents:
    """Paragraphs of medical articles until they are a fifth of all text."""
    articles = [path.read_text("utf-8") for path in sorted((SETS / "covidqa/corpus").iterdir())]
    paragraphs = [each for article in articles for each in article.split("\n\n")]
    whole = [each for each in paragraphs if 400 < len(each) < 1000 and each.endswith(".")]
    mean = sum(map(len, whole)) / len(whole)
    count = round(sum(map(len, documents.values())) / 4 / mean)
    return {**documents, **{f"topic-{n:02}.txt": text for n, text in enumerate(chance.sample(whole, count))}}


def new_language(documents: Documents, chance: random.Random) -> Documents:
    """German paragraphs, a twentieth of all documents."""
    files = chance.sample(sorted((SETS / "xquad/corpus/de").iterdir()), round(len(documents) / 19))
    return {**documents, **{f"german-{file.name}": file.read_text("utf-8") for file in files}}


def swapped(documents: Documents, chance: random.Random) -> Documents:
    """Three tenths of them have the text of another."""
    names = chance.sample(sorted(documents), 3 * len(documents) // 10)
    return {**documents, **{name: documents[other] for name, other in zip(names, names[1:] + names[:1], strict=True)}}


KINDS: Final = (
    Kind("first", as_it_was, "live", drift=None, stays=True),
    Kind("quiet: three edits", hurt(lambda text: f"{text}\n\nSeen again.", one_in=26), "live", stays=True),
    # The quality gate sets each aside, which stops no version up to ten documents: people find what they found.
    Kind("10 % are mojibake", hurt(misread), "live"),
    Kind("half of 10 % is mojibake", hurt(half_misread), "rejected", "gate", "fail"),
    Kind("boilerplate in 10 %", hurt(lambda text: BANNER + text), "rejected", "gate", "fail"),
    Kind("10 % truncated", hurt(cut), "rejected", "gate", "fail"),
    Kind("texts of 30 % swapped", swapped, "rejected", "evaluate"),
    Kind("new topic, 20 % of the text", new_topic, "live", drift="warn", stays=True),
    Kind("new language, 5 % of documents", new_language, "live", drift="warn", stays=True),
)
RESTORED: Final = Kind("restored", as_it_was, "live")


class Rest(Airflow):
    """What this benchmark asks besides."""

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run, when it is over."""
        while (run := self._call("GET", self._run(DAG, run_id)))["state"] not in {"success", "failed"}:
            time.sleep(1)
        return run

    def red(self, run_id: str) -> Iterator[tuple[str, str]]:
        """Each failed task, and the sentence that its log ends with."""
        tasks = f"{self._run(DAG, run_id)}/taskInstances"
        for each in self._call("GET", f"{tasks}?state=failed&limit=100")["task_instances"]:
            log = self._call(
                "GET", f"{tasks}/{each['task_id']}/logs/{each['try_number']}?map_index={each['map_index']}"
            )
            told = [line["error_detail"][0]["exc_value"] for line in log["content"] if line.get("error_detail")]
            yield each["task_id"], told[-1] if told else str(log["content"][-1]["event"])


def questions(documents: Documents) -> Iterator[dict[str, Any]]:
    lines = (SETS / "squad2/queries.jsonl").read_text("utf-8").splitlines()
    asked = {row["id"]: row["text"] for row in map(json.loads, lines)}
    for line in (SETS / "squad2/qrels.tsv").read_text("utf-8").splitlines()[1:]:
        question, document, _ = line.split("\t")
        if document in documents:
            yield {"question": asked[question], "relevant": [f"s3://{BUCKET}/{PREFIX}{document}"]}


def prepare(documents: Documents) -> None:
    """The corpus's two files, and nothing of an earlier benchmark."""
    drop_index("BenchKinds")
    for bucket in (BUCKET, "nightjar-state"):
        empty(bucket, prefix=PREFIX)
    QUESTIONS.write_text("".join(f"{json.dumps(each)}\n" for each in questions(documents)))
    CORPUS.write_text(corpus_file("kinds", evaluation={"questions": QUESTIONS.name}).read_text())


def put(documents: Documents, standing: Documents) -> None:
    client = boto3.client("s3")
    for name in (name for name, text in documents.items() if standing.get(name) != text):
        client.put_object(Bucket=BUCKET, Key=PREFIX + name, Body=documents[name].encode())


def night(airflow: Rest, kind: Kind, before: int) -> dict[str, Any]:
    """One run and what it made; `before` is the newest version's number before it."""
    run = airflow.ended(airflow.trigger(DAG))
    red = dict(airflow.red(run["dag_run_id"]))
    newest = nightjar("versions", "kinds")[1]["versions"][0]
    is_new = newest["number"] > before
    judged = {gate: each for gate, each in newest["verdicts"].items() if is_new and each and each["state"]}
    state = newest["state"] if is_new else "unchanged"
    verdicts = {gate: each["state"] for gate, each in judged.items()}
    return {
        "night": kind.name,
        "run": run["state"],
        "red": red,
        "version": newest["number"],
        "state": state,
        "verdicts": verdicts,
        "reasons": {gate: each["reason"] for gate, each in judged.items()},
        "seconds": round(run["duration"]),
        "as_it_should": (state, "".join(red), verdicts.get("drift")) == (kind.state, kind.red, kind.drift),
    }


def line_of(row: Mapping[str, Any]) -> str:
    verdicts = ", ".join(f"{gate} {state}" for gate, state in row["verdicts"].items())
    red = "; ".join(f"`{task}`: {line}" for task, line in row["red"].items())
    return (
        f"| {row['night']} | {row['run']} | {row['version']} {row['state']} | {verdicts} | {red} | {row['seconds']} |"
    )


def main() -> int:
    chance, place = random.Random(7), place_from_environment()  # noqa: S311 - a script that can be repeated
    files = chance.sample(sorted((SETS / "squad2/corpus").iterdir()), DOCUMENTS)
    documents: Documents = {file.name: file.read_text("utf-8") for file in files}
    standing: Documents = {}
    rows: list[dict[str, Any]] = []
    try:
        prepare(documents)
        airflow = Rest(place.url(Port.AIRFLOW), user=USER, password=local_secrets(place.home).airflow_password)
        airflow.await_dag(DAG, timeout_s=120)
        airflow.unpause(DAG)
        for kind in KINDS:
            for each in (kind,) if kind.stays else (kind, RESTORED):
                tonight = each.change(documents, chance)
                put(tonight, standing)
                rows.append(night(airflow, each, before=len(rows) and rows[-1]["version"]))
                print(line_of(rows[-1]), flush=True)
                standing = tonight
            documents = standing
    finally:
        CORPUS.unlink(missing_ok=True)
        QUESTIONS.unlink(missing_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    return not all(row["as_it_should"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
