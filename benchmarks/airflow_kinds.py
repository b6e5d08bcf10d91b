"""A night of each kind through the DAG of a real Airflow: what goes live, what is rejected or waits, where and why.

    make airflow && . .nightjar/env
    NIGHTJAR_DATA=../shared/data PYTHONPATH=. .venv/bin/python benchmarks/airflow_kinds.py [SUITE …]

Each suite of nights begins anew with the corpus `kinds`: paragraphs of squad2 or filings of sec10q, and the questions
about them. Its corpus file and questions lie in dags/corpora and expectations/questions only while this runs. After
each damage the documents are restored and another night follows; after each rejection `nightjar audit` compares what
people search with its manifest. What waits for a person is asked, and rejected. Prints a row a night, writes
benchmarks/results/airflow-kinds.json; exits 1 where a night ended otherwise than it should.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from airflow_kinds_documents import PREFIX, QUESTIONS, Documents, questions
from airflow_kinds_nights import ALIAS, ASKED, EMBED, RESTORED, SUITES, Kind, Suite
from airflow_kinds_planted import MODEL_COPY, model_copy
from corpora import BUCKET, corpus_file, drop_index, empty, nightjar

from tools.airflow_rest import Airflow
from tools.stack.airflow import USER
from tools.stack.place import Port, place_from_environment
from tools.stack.secret import local_secrets

DAG: Final = "reindex_kinds"
OPERATE: Final = "operate_kinds"
CORPUS: Final = Path("dags/corpora/kinds.yaml")
RESULTS: Final = Path("benchmarks/results/airflow-kinds.json")
SEEN_TO_WAIT_S: Final = 10
"""Airflow 3.3 takes a question that is answered sooner for a task that was killed."""


class Rest(Airflow):
    """What this benchmark asks besides."""

    def ended(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """The run, when it is over."""
        while (run := self._call("GET", self._run(dag_id, run_id)))["state"] not in {"success", "failed"}:
            time.sleep(1)
        return run

    def forget(self, dag_id: str) -> None:
        """Its runs of an earlier benchmark: a question of the same name would not be asked again."""
        for run in self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns?limit=100")["dag_runs"]:
            self._call("DELETE", self._run(dag_id, run["dag_run_id"]))

    def red(self, run_id: str) -> Iterator[tuple[str, str]]:
        """Each failed task, and the sentence that its log ends with."""
        tasks = f"{self._run(DAG, run_id)}/taskInstances"
        for each in self._call("GET", f"{tasks}?state=failed&limit=100")["task_instances"]:
            log = self._call(
                "GET", f"{tasks}/{each['task_id']}/logs/{each['try_number']}?map_index={each['map_index']}"
            )
            told = [line["error_detail"][0]["exc_value"] for line in log["content"] if line.get("error_detail")]
            yield each["task_id"], as_anywhere(told[-1] if told else str(log["content"][-1]["event"]))

    def rejected(self, run_id: str) -> str:
        """What the run of `operate_kinds` asks; answered with no, and over."""
        task = f"{self._run(OPERATE, run_id)}/taskInstances/ask"
        while self._call("GET", task)["state"] != "awaiting_input":
            time.sleep(1)
        time.sleep(SEEN_TO_WAIT_S)
        details = f"{task}/-1/hitlDetails"
        asked = self._call("GET", details)
        self._call("PATCH", details, {"chosen_options": ["Reject"], "params_input": {"reason": "a benchmark"}})
        self.ended(OPERATE, run_id)
        return as_anywhere(f"{asked['subject']}\n{asked['body']}")


def as_anywhere(sentence: str) -> str:
    """Without the folder of this machine that the model's copy lies in."""
    return sentence.replace(f"{MODEL_COPY.parent}/", "")


def prepare(suite: Suite, documents: Documents) -> None:
    """The corpus's two files, and nothing of an earlier suite."""
    drop_index(ALIAS)
    for bucket in (BUCKET, "nightjar-state"):
        empty(bucket, prefix=PREFIX)
    QUESTIONS.write_text("".join(f"{json.dumps(each)}\n" for each in questions(documents)))
    configure(suite.blocks)


def configure(blocks: Mapping[str, Any]) -> None:
    """The corpus file, with these blocks in place of the usual ones."""
    CORPUS.write_text(corpus_file("kinds", **{"embed": EMBED, "evaluation": ASKED, **blocks}).read_text())


def put(documents: Documents, standing: Documents) -> None:
    client = boto3.client("s3")
    for name in (name for name, text in documents.items() if standing.get(name) != text):
        client.put_object(Bucket=BUCKET, Key=PREFIX + name, Body=documents[name].encode())


def newest() -> dict[str, Any]:
    version: dict[str, Any] = nightjar("versions", "kinds")[1]["versions"][0]
    return version


def night(airflow: Rest, kind: Kind, before: int) -> dict[str, Any]:
    """One run and what it made; `before` is the newest version's number before it."""
    run = airflow.ended(DAG, airflow.trigger(DAG))
    red, made = dict(airflow.red(run["dag_run_id"])), newest()
    is_new = made["number"] > before
    judged = {gate: each for gate, each in made["verdicts"].items() if is_new and each and each["state"]}
    state = made["state"] if is_new else "unchanged"
    verdicts = {gate: each["state"] for gate, each in judged.items()}
    return {
        "night": kind.name,
        "run": run["state"],
        "red": red,
        "version": made["number"],
        "state": state,
        "verdicts": verdicts,
        "reasons": {gate: each["reason"] for gate, each in judged.items()},
        "seconds": round(run["duration"]),
        "as_it_should": (state, "".join(red), verdicts.get("drift")) == (kind.state, kind.red, kind.drift),
        **(refused(airflow, made["number"]) if state == "waiting" else {}),
    }


def serves_what_is_live() -> bool:
    """The rejected night left no trace in what people search."""
    return nightjar("audit", "kinds")[0] == 0


def refused(airflow: Rest, number: int) -> dict[str, Any]:
    """What a person was asked about the version, which goes by the answer."""
    asked = airflow.rejected(f"ask__version-{number}")
    if (state := newest()["state"]) != "rejected":
        raise AssertionError(f"version {number} is {state} after a person rejected it")
    return {"asked": asked}


def line_of(row: Mapping[str, Any]) -> str:
    """As docs/drift.md has it."""
    run = ", ".join([row["run"], *(f"`{task}` red" for task in row["red"])])
    verdicts = ", ".join(f"{gate} {state}" for gate, state in row["verdicts"].items())
    told = "; ".join(_reasons(row)) or "; ".join(row["red"].values())
    return f"| {row['night']} | {run} | {row['version']} {row['state']} | {verdicts} | {told} | {row['seconds']} |"


def _reasons(row: Mapping[str, Any]) -> list[str]:
    """What the gates said that judged worst; nothing where all were content."""
    judged = row["verdicts"]
    worst = next((state for state in ("fail", "warn") if state in judged.values()), None)
    return [row["reasons"][gate] for gate, state in judged.items() if state == worst]


def nights(airflow: Rest, suite: Suite, documents: Documents, chance: random.Random) -> Iterator[dict[str, Any]]:
    """A row a night."""
    standing: Documents = {}
    number = 0
    for kind in suite.kinds:
        for each in (kind,) if kind.stays else (kind, RESTORED):
            tonight = each.change(documents, chance)
            configure({**suite.blocks, **each.blocks})
            put(tonight, standing)
            with each.planted():
                row = night(airflow, each, before=number)
            if row["state"] == "rejected":
                row["as_it_should"] &= serves_what_is_live()
            yield row
            standing, number = tonight, row["version"]
        documents = standing


def run(airflow: Rest, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a suite."""
    suite, chance = SUITES[name], random.Random(7)  # noqa: S311 - a script that can be repeated
    documents = suite.documents(chance)
    prepare(suite, documents)
    for dag_id in (DAG, OPERATE):
        airflow.await_dag(dag_id, timeout_s=120)
        airflow.forget(dag_id)
    airflow.unpause(DAG)
    for row in nights(airflow, suite, documents, chance):
        print(line_of(row), flush=True)
        yield {"suite": name, **row}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("suites", nargs="*", default=list(SUITES), metavar="SUITE", help=f"of {', '.join(SUITES)}")
    chosen, place = options.parse_args().suites, place_from_environment()
    known: list[dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    rows = [row for row in known if row["suite"] not in chosen]
    try:
        with model_copy():
            airflow = Rest(place.url(Port.AIRFLOW), user=USER, password=local_secrets(place.home).airflow_password)
            for name in chosen:
                rows += run(airflow, name)
                RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    finally:
        CORPUS.unlink(missing_ok=True)
        QUESTIONS.unlink(missing_ok=True)
    return not all(row["as_it_should"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())
