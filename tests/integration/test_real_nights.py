"""Nights through the real command line, with a real Weaviate, a real S3 protocol, a real parser and a real model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from s3_servers import ACCESS_KEY, SECRET_KEY, client_of, versitygw_server
from servers import weaviate_server

from nightjar.flows.services import Services
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import read_live
from nightjar.model import CollectionName, IndexObject
from nightjar.settings import Settings
from nightjar.wiring import open_services

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.services, pytest.mark.slow]

SAMPLES = Path(__file__).parents[2] / "samples" / "handbook"
# A line of the log that a run prints right after the step is done; the run is killed there.
MOMENTS = (
    "settled run",
    "planned run",
    "parser started",
    "parsed run",
    "chunked run",
    "embedding with",
    "embedded run",
    "gated run",
    "filled version",
    "verified version",
)


@dataclass
class Stack:
    """Both servers, and commands that are run against them."""

    folder: Path
    s3: S3Client
    environment: Mapping[str, str] = field(repr=False)

    def corpus(self, name: str) -> Path:
        """A corpus file; all corpora share one source, so that their documents have equal ids."""
        path = self.folder / f"{name}.yaml"
        values = {"source": {"uri": "s3://documents/handbook/"}, "index": {"alias": name.capitalize()}}
        path.write_text(yaml.safe_dump(values))
        return path

    def run(self, corpus: Path, *words: str) -> tuple[int, dict[str, Any]]:
        command = self._command("run", corpus, *words, "--json")
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        return done.returncode, json.loads(done.stdout or b"{}")

    def run_until(self, corpus: Path, moment: str) -> bool:
        """SIGKILL the run as soon as it logs `moment`; false when it ended before."""
        process = subprocess.Popen(
            self._command("run", corpus), env=self.environment, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        with process.stderr as log:
            reached = any(moment in line for line in log)
            process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL and reached

    def open(self, corpus: Path) -> Services:
        settings = Settings.from_environment(self.environment)
        return open_services(settings.corpus(str(corpus)), settings)

    def _command(self, command: str, corpus: Path, *words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("nightjar")), command, str(corpus), *words]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("nights")
    (folder / "weaviate").mkdir()
    (folder / "s3").mkdir()
    with weaviate_server(folder / "weaviate") as (http, grpc, key), versitygw_server(folder / "s3") as gateway:
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": gateway.endpoint,
            "WEAVIATE_URL": http,
            "WEAVIATE_GRPC_URL": grpc,
            "WEAVIATE_API_KEY": key,
            "NIGHTJAR_STATE": "s3://nightjar-state",
            "NIGHTJAR_WORK": str(folder / "work"),
        }
        s3 = client_of(gateway.endpoint)
        s3.create_bucket(Bucket="documents")
        s3.create_bucket(Bucket="nightjar-state")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            yield Stack(folder, s3, environment)
        s3.close()


@pytest.fixture
def handbook(stack: Stack) -> Stack:
    """The sample corpus as it is, whatever the test before did to it."""
    for item in stack.s3.list_objects_v2(Bucket="documents").get("Contents", []):
        stack.s3.delete_object(Bucket="documents", Key=item["Key"])
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file():
            key = f"handbook/{path.relative_to(SAMPLES).as_posix()}"
            stack.s3.put_object(Bucket="documents", Key=key, Body=path.read_bytes())
    return stack


def served(services: Services) -> dict[str, IndexObject]:
    target = services.index.alias(services.corpus.alias)
    if target is None:
        return {}
    return {item.chunk_id: item for item in services.index.scan(CollectionName(target), vectors=True)}


def test_exactly_what_changed_is_made_again(handbook: Stack) -> None:
    corpus = handbook.corpus("changes")
    code, first = handbook.run(corpus)
    assert (code, first["state"], first["documents"]["quarantined"]) == (0, "live", 2)
    assert first["chunks"]["truncated_tokens"] == 0
    code, second = handbook.run(corpus)
    assert (code, second["state"], second["parsed"], second["chunks"]["embedded"]) == (0, "unchanged", 0, 0)
    _a_day_of_changes(handbook.s3)
    code, third = handbook.run(corpus)
    assert (code, third["state"]) == (0, "live")
    assert {name: third["documents"][name] for name in ("added", "changed", "deleted", "renamed")} == {
        "added": 1,
        "changed": 1,
        "deleted": 1,
        "renamed": 1,
    }
    assert third["parsed"] == 2
    assert 1 <= third["chunks"]["embedded"] <= 3


def _a_day_of_changes(s3: S3Client) -> None:
    policy = (SAMPLES / "people" / "leave-policy.md").read_bytes()
    s3.put_object(Bucket="documents", Key="handbook/people/leave-policy.md", Body=policy + b"\nLeave is a right.\n")
    s3.put_object(Bucket="documents", Key="handbook/people/new.txt", Body=b"The canteen opens at eleven on all days.")
    s3.delete_object(Bucket="documents", Key="handbook/office/rooms.csv")
    moved = (SAMPLES / "office" / "security.txt").read_bytes()
    s3.put_object(Bucket="documents", Key="handbook/safety/security.txt", Body=moved)
    s3.delete_object(Bucket="documents", Key="handbook/office/security.txt")


def test_a_killed_night_is_resumed_and_ends_with_the_same_index(handbook: Stack) -> None:
    calm = handbook.corpus("calm")
    assert handbook.run(calm)[0] == 0
    stormy = handbook.corpus("stormy")
    services = handbook.open(stormy)
    for moment in MOMENTS:
        assert handbook.run_until(stormy, moment), f"the run ended before it said {moment!r}"
        live = read_live(services.state)
        assert live is None, f"a version went live before it was promoted, at {moment!r}"
        assert services.index.alias("Stormy") is None
    code, report = handbook.run(stormy)
    assert (code, report["state"]) == (0, "live")
    assert disagreement(services, read_live(services.state)) is None
    twin = handbook.open(calm)
    expected, found = served(twin), served(services)
    twin.close()
    assert found.keys() == expected.keys()
    for chunk_id, item in expected.items():
        assert found[chunk_id].properties == item.properties
        assert np.allclose(found[chunk_id].vector, item.vector, atol=1e-5)
    services.close()


def test_a_second_run_beside_the_first_is_held_back(handbook: Stack) -> None:
    corpus = handbook.corpus("beside")
    command = handbook._command("run", corpus)
    first = subprocess.Popen(command, env=handbook.environment, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    with first.stderr as log:
        assert any("settled run" in line for line in log)
        code, report = handbook.run(corpus)
        log.read()
    assert first.wait() == 0
    assert code == 3
    assert "has been running since" in report["reason"]
