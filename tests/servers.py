"""Real servers for tests that are marked `services`: each on free ports, in its own folder, ended with its block."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
START_WITHIN_S = 90.0


def binary(name: str) -> Path:
    """A server's program from NIGHTJAR_BIN, .nightjar/bin or PATH; the test is skipped, saying so, without it."""
    folders = [os.environ.get("NIGHTJAR_BIN", ""), str(ROOT / ".nightjar" / "bin"), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(filter(None, folders)))
    if found is None:
        pytest.skip(f"{name} is in none of NIGHTJAR_BIN, .nightjar/bin and PATH: `make services` brings it")
    return Path(found)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listened on just now, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def _port_with_a_free_neighbour() -> int:
    """Weaviate finds no leader unless its inner ports come in pairs: gossip and data, raft and its calls."""
    while True:
        [port] = free_ports(1)
        with socket.socket() as neighbour:
            try:
                neighbour.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@dataclass
class Weaviate:
    """A running server; `kill` takes it away as a power cut would, `start` brings it back with its data."""

    http_url: str
    grpc_url: str
    api_key: str
    log: Path
    command: list[str]
    settings: dict[str, str] = field(repr=False)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=os.environ | self.settings, stdout=log, stderr=subprocess.STDOUT
            )
        _await_ready(f"{self.http_url}/v1/.well-known/ready", self.process, self.log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@contextmanager
def weaviate_process(folder: Path) -> Iterator[Weaviate]:
    """A Weaviate server with its data and log in `folder`; login by API key, nobody anonymous."""
    http, grpc = free_ports(2)
    raft, gossip = _port_with_a_free_neighbour(), _port_with_a_free_neighbour()
    key = secrets.token_hex(16)
    settings = {
        "PERSISTENCE_DATA_PATH": str(folder / "weaviate"),
        "CLUSTER_HOSTNAME": "node1",
        "CLUSTER_IN_LOCALHOST": "true",
        "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
        "CLUSTER_GOSSIP_BIND_PORT": str(gossip),
        "CLUSTER_DATA_BIND_PORT": str(gossip + 1),
        "RAFT_BOOTSTRAP_EXPECT": "1",
        "RAFT_PORT": str(raft),
        "RAFT_INTERNAL_RPC_PORT": str(raft + 1),
        "GRPC_PORT": str(grpc),
        "DISABLE_TELEMETRY": "true",
        "GO_PROFILING_DISABLE": "true",
        "AUTOSCHEMA_ENABLED": "false",
        "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
        "AUTHENTICATION_APIKEY_ENABLED": "true",
        "AUTHENTICATION_APIKEY_ALLOWED_KEYS": key,
        "AUTHENTICATION_APIKEY_USERS": "nightjar",
        "AUTHORIZATION_ADMINLIST_ENABLED": "true",
        "AUTHORIZATION_ADMINLIST_USERS": "nightjar",
    }
    command = [str(binary("weaviate-server")), "--host", "127.0.0.1", "--port", str(http), "--scheme", "http"]
    server = Weaviate(f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}", key, folder / "weaviate.log", command, settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def weaviate_server(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(http url, gRPC address, API key) of a server that lives as long as the block."""
    with weaviate_process(folder) as server:
        yield server.http_url, server.grpc_url, server.api_key


def _await_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the server did not become ready; its log ends: {log.read_text(errors='replace')[-1000:]}")
