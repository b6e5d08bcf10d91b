"""Put folders of real files into the local bucket as corpora, and run nights over them through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
import psutil
import weaviate
import yaml

BUCKET: Final = "documents"
FOLDER: Final = Path(".nightjar/bench/corpora")


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """(path below `folder`, file), in order."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def upload(folder: Path, *, prefix: str) -> int:
    """Put every file below `folder` under `prefix`; returns how many."""
    client = boto3.client("s3")

    def put(item: tuple[str, Path]) -> None:
        client.put_object(Bucket=BUCKET, Key=prefix + item[0], Body=item[1].read_bytes())

    with ThreadPoolExecutor(8) as pool:
        return len(list(pool.map(put, files_below(folder))))


def empty(bucket: str, *, prefix: str) -> None:
    """Remove everything below `prefix`."""
    client = boto3.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            client.delete_object(Bucket=bucket, Key=item["Key"])


def corpus_file(name: str, **blocks: Any) -> Path:
    """A corpus file of its own folder with default settings, but for `blocks`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.yaml"
    values = {
        "source": {"uri": f"s3://{BUCKET}/bench/{name}/"},
        "state": f"s3://nightjar-state/bench/{name}/",
        "index": {"alias": "Bench" + name.capitalize().replace("_", "")},
        **blocks,
    }
    path.write_text(yaml.safe_dump(values))
    return path


def fresh(name: str, folder: Path, **blocks: Any) -> Path:
    """The corpus `name` over the files of `folder`, without any state or index of an earlier benchmark."""
    path = corpus_file(name, **blocks)
    drop_index(yaml.safe_load(path.read_text())["index"]["alias"])
    for bucket in (BUCKET, "nightjar-state"):
        empty(bucket, prefix=f"bench/{name}/")
    upload(folder, prefix=f"bench/{name}/")
    return path


def server() -> weaviate.WeaviateClient:
    """A plain connection to the local Weaviate, for what benchmarks do behind Nightjar's back."""
    http, grpc = urlsplit(os.environ["WEAVIATE_URL"]), os.environ["WEAVIATE_GRPC_URL"].split(":")
    return weaviate.connect_to_custom(
        http_host=str(http.hostname),
        http_port=int(http.port or 80),
        http_secure=False,
        grpc_host=grpc[0],
        grpc_port=int(grpc[1]),
        grpc_secure=False,
        auth_credentials=weaviate.auth.AuthApiKey(os.environ["WEAVIATE_API_KEY"]),
        skip_init_checks=True,
    )


def drop_index(alias: str) -> None:
    """Remove the alias and its collections: a run would rightly refuse an alias that its state does not know."""
    with server() as client:
        client.alias.delete(alias_name=alias)
        client.collections.delete([n for n in client.collections.list_all() if n.startswith(f"{alias}_b")])


@contextmanager
def peaks() -> Iterator[dict[str, int]]:
    """Peak memory in MB by program, the largest process of each, of all that this one starts while the block runs."""
    found: dict[str, int] = {}
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(found, over))
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def _watch(found: dict[str, int], over: threading.Event) -> None:
    while not over.wait(0.1):
        for process in psutil.Process().children(recursive=True):
            try:
                words = [Path(word).name for word in process.cmdline() if not word.startswith("-")]
                program = " ".join(words[: 3 if words[0].startswith("python") else 1])
                status = Path(f"/proc/{process.pid}/status").read_text("ascii")
                peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
            except (psutil.Error, OSError, IndexError):  # it has ended since
                continue
            found[program] = max(found.get(program, 0), peak)


def nightjar(*words: str | Path) -> tuple[int, dict[str, Any], float]:
    """Exit code, JSON and seconds of one command, its modules compiled as installed; its log goes to standard error."""
    started = time.monotonic()
    command: Sequence[str] = [str(Path(sys.executable).with_name("nightjar")), *map(str, words), "--json"]
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=compiled, check=False)
    return done.returncode, json.loads(done.stdout or b"{}"), time.monotonic() - started
