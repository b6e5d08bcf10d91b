"""`make demo`: two nights of the sample corpus on a real Airflow, told as they happen."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from tools.airflow_rest import Airflow, Step
from tools.demo_report import print_answer, print_night, print_quarantine, title
from tools.stack.__main__ import interruptible
from tools.stack.__main__ import main as stack
from tools.stack.airflow import USER
from tools.stack.environment import client_environment
from tools.stack.place import Failed, Place, Port, place_from_environment
from tools.stack.secret import Secrets, local_secrets

CORPUS = "handbook"
DAG = f"reindex_{CORPUS}"
BUCKET = "documents"
EDITED = "people/leave-policy.md"
FIRST_QUESTION = "Who pays my private costs when a business trip is cancelled?"
SECOND_QUESTION = "When was Brightwater founded, and is that day off?"
LAST_QUESTION = "How many days of annual leave do I have?"
_PARAGRAPH_CHUNKS = 2  # its own, and the last one before it where part of it still fits there
_DAG_TIMEOUT_S = 120
_RUN_TIMEOUT_S = 900


def main() -> int:
    """Exit code: 0 when both nights did what they should, else what went wrong decides."""
    begun = time.monotonic()
    title("Starting Weaviate, S3 and Airflow")
    if code := stack(["up", "weaviate", "s3", "airflow"]):
        return code
    place = place_from_environment()
    secrets = local_secrets(place.home)
    try:
        two_nights(place, secrets)
    except Failed as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    title(f"Done after {time.monotonic() - begun:.0f} s; all is left running, `make stop` ends it")
    print(f"  Airflow     {place.url(Port.AIRFLOW)}/dags/{DAG}   login {USER}   password {secrets.airflow_password}")
    print(f"  documents   put a file into {place.home / 's3' / BUCKET / CORPUS}, then trigger {DAG}")
    print(f"  commands    . .nightjar/env; .venv/bin/nightjar search {CORPUS} '{LAST_QUESTION}'")
    return 0


def two_nights(place: Place, secrets: Secrets) -> None:
    """The whole story; every fact that it prints is asked from the command line or from Airflow.

    Raises:
        Failed: a run failed, or the second night did more than the change asked for.
    """
    environment = dict(os.environ) | client_environment(place, secrets)
    bucket = s3_client(environment)
    airflow = Airflow(place.url(Port.AIRFLOW), user=USER, password=secrets.airflow_password)

    title("Uploading the sample corpus")
    print(f"  {upload(bucket, place.repository / 'samples' / CORPUS)}")
    title(f"First night: {DAG}, triggered over REST")
    run_night(airflow)
    asked = [["show"], ["versions"], ["quarantine"], ["search", FIRST_QUESTION, "-k", "3"]]
    shown, versions, quarantine, found = ask_all(environment, asked)
    print_night(shown["run"], versions)
    print_quarantine(quarantine, below=f"s3://{BUCKET}/{CORPUS}/")
    print_answer(FIRST_QUESTION, found)

    title(f"One paragraph is added to {EDITED}; second night")
    edit(bucket, place.repository / "samples" / CORPUS / EDITED)
    run_night(airflow)
    shown, versions, found = ask_all(environment, [["show"], ["versions"], ["search", SECOND_QUESTION, "-k", "3"]])
    print_night(shown["run"], versions)
    require_only_the_edit(shown["run"])
    print_answer(SECOND_QUESTION, found)


def s3_client(environment: Mapping[str, str]) -> S3Client:
    """A client of the local S3 server."""
    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )


def upload(bucket: S3Client, folder: Path) -> str:
    """Bring the bucket to the folder's state, sending only what differs; one sentence on what was sent."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    sent = [
        path
        for path in files
        if put_if_changed(bucket, f"{CORPUS}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    ]
    kinds = {path.suffix for path in files}
    found = f"{len(files)} files of {len(kinds)} kinds in s3://{BUCKET}/{CORPUS}/"
    return f"{found}: {len(sent)} sent now, {len(files) - len(sent)} stood there already"


def put_if_changed(bucket: S3Client, key: str, content: bytes) -> bool:
    """Whether the object had to be written; an untouched one keeps its modification time."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()  # what S3 calls the ETag of a small object
    try:
        standing = bucket.head_object(Bucket=BUCKET, Key=key)["ETag"].strip('"')
    except ClientError:
        standing = ""
    if standing != digest:
        bucket.put_object(Bucket=BUCKET, Key=key, Body=content)
    return standing != digest


def edit(bucket: S3Client, original: Path) -> None:
    """Add a paragraph that no night before has seen."""
    now = datetime.now(UTC)
    paragraph = (
        "\n## Anniversary day\n\nBrightwater was founded on 3 May 2009. Everybody has 3 May off; "
        f"when it falls on a weekend, the Monday after it is free. Decided on {now:%d %B %Y at %H:%M:%S}.\n"
    )
    bucket.put_object(Bucket=BUCKET, Key=f"{CORPUS}/{EDITED}", Body=(original.read_text() + paragraph).encode())


def run_night(airflow: Airflow) -> None:
    """Trigger a run and show its tasks as they end.

    A scheduled DAG fires once by itself when it is unpaused for the first time, and only one run may be active:
    a run that stands before the triggered one is followed first, and the triggered one then finds its work done, or
    does it where the other one failed.

    Raises:
        Failed: the triggered run did, or a run before it does not end.
    """
    airflow.await_dag(DAG, timeout_s=_DAG_TIMEOUT_S)
    triggered = airflow.trigger(DAG)
    airflow.unpause(DAG)
    run_id = ""
    while run_id != triggered:
        run_id = run_under_way(airflow, triggered)
        print(f"  {airflow.page(DAG, run_id)}")
        try:
            show(airflow.follow(DAG, run_id, timeout_s=_RUN_TIMEOUT_S))
        except Failed as reason:
            if run_id == triggered or run_id in airflow.active(DAG):
                raise
            print(f"  {reason}; the next one resumes its work")


def show(steps: Iterable[Step]) -> None:
    """A line for each task as it ends."""
    for step in steps:
        print(f"    {step.name:<44} {step.state:<15} {step.seconds:6.1f} s", flush=True)


def run_under_way(airflow: Airflow, triggered: str) -> str:
    """Waits until a run has begun; the triggered one when it is over already."""
    while triggered in (active := airflow.active(DAG)):
        if begun := [run_id for run_id, state in active.items() if state == "running"]:
            return begun[0]
        time.sleep(1)
    return triggered


def ask_all(environment: Mapping[str, str], commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Answers in the order of `commands`, which run side by side."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda command: ask(environment, *command), commands))


def ask(environment: Mapping[str, str], verb: str, *arguments: str) -> dict[str, Any]:
    """What `nightjar VERB handbook … --json` answers.

    Raises:
        Failed: it exits with another code than 0; carries its last line.
    """
    command = ["nightjar", verb, CORPUS, *arguments, "--json"]
    program = Path(sys.executable).with_name("nightjar")
    done = subprocess.run(
        command, executable=program, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing on standard error"])[-1]
        raise Failed(f"`{shlex.join(command)}` exits {done.returncode}: {last}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def require_only_the_edit(run: Mapping[str, Any]) -> None:
    """Hold the second night to its promise.

    Raises:
        Failed: it touched or parsed another document, or embedded text that stood already.
    """
    documents, chunks = run["documents"], run["chunks"]
    others = {kind: documents[kind] for kind in ("added", "deleted", "renamed") if documents[kind]}
    if others or documents["changed"] != 1:
        raise Failed(f"one document was edited, but the second night counted {documents}")
    if run["parsed"] != 1:
        raise Failed(f"one document was edited, but the second night parsed {run['parsed']}")
    if not 0 < chunks["embedded"] <= _PARAGRAPH_CHUNKS or not chunks["reused"]:
        raise Failed(f"one paragraph was added, but the second night embedded {chunks}")


if __name__ == "__main__":
    sys.exit(interruptible(main))
