"""Seconds that a DAG processor needs for the DAG file of fifty corpora, beside as many DAGs with one empty task each.

    .venv/bin/python benchmarks/dag_parsing.py

What Airflow's own processes have loaded before they come to a DAG file is loaded before the clock starts. Writes
benchmarks/results/dag-parsing.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

CORPORA: Final = 50
TRIALS: Final = 5
FILE: Final = Path("dags/corpora.py")
PARSE: Final = """
import json, runpy, sys, time
from airflow.sdk import DAG, AssetAlias, CronTriggerTimetable, Param, RetryPolicy, TriggerRule, chain, task, task_group
with DAG("warm", schedule=None): task(lambda: None, task_id="up")()
begun = time.process_time()
dags = [value for value in runpy.run_path(sys.argv[1]).values() if isinstance(value, DAG)]
ours = time.process_time() - begun
begun = time.process_time()
for number in range(len(dags)):
    with DAG(f"bare{number}", schedule=None): task(lambda: None, task_id="up")()
print(json.dumps({"dags": len(dags), "seconds": ours, "bare": time.process_time() - begun}))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpora").mkdir()
        (folder / FILE.name).write_text(FILE.read_text())
        for number in range(CORPORA):
            text = f'source: {{uri: "s3://documents/c{number}/"}}\nschedule: "0 2 * * *"\n'
            (folder / "corpora" / f"corpus{number}.yaml").write_text(text)
        trials = [_parsed(folder / FILE.name) for _ in range(TRIALS)]
    best = min(trials, key=lambda trial: trial["seconds"])
    result = {**best, "times_bare": round(best["seconds"] / best["bare"], 2)}
    Path("benchmarks/results/dag-parsing.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


def _parsed(file: Path) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-c", PARSE, str(file)]
    environment = os.environ | {"NIGHTJAR_STATE": "s3://nightjar-state"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    parsed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return parsed


if __name__ == "__main__":
    main()
