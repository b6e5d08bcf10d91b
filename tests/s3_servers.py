"""S3 servers for tests: moto's (every key, virtual buckets) and versitygw (a real one, whose buckets are folders)."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from moto.server import ThreadedMotoServer
from servers import binary, free_ports

from nightjar.adapters.s3_client import S3_CONFIG

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCESS_KEY, SECRET_KEY = "nightjar-tests", "not-a-secret-anywhere"


def client_of(endpoint: str, *, secret: str = SECRET_KEY) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        config=S3_CONFIG,
    )


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running versitygw; `folder` holds its buckets as folders, for whoever drops files in."""

    endpoint: str
    folder: Path


@contextmanager
def moto_server() -> Iterator[str]:
    """The endpoint of an empty moto server in a thread of this process."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    (port,) = free_ports(1)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port)
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


@contextmanager
def versitygw_server(folder: Path) -> Iterator[Gateway]:
    """A gateway over `folder`, ended with the block; skips, saying so, where the binary is missing.

    It checks a condition and then writes; only one action at a time makes that one step.
    """
    (port,) = free_ports(1)
    command = [str(binary("versitygw")), "--quiet", "--port", f"127.0.0.1:{port}", "posix"]
    command += ["--concurrency", "1", str(folder)]
    keys = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    process = subprocess.Popen(
        command, env=os.environ | keys, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    try:
        _await_answer(f"http://127.0.0.1:{port}", process)
        yield Gateway(f"http://127.0.0.1:{port}", folder)
    finally:
        process.kill()
        process.wait()


def _await_answer(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    client, deadline = client_of(endpoint), time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.list_buckets()
        except BotoCoreError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"versitygw at {endpoint} does not answer")
