"""With real servers: a forgotten document is in no file of the state and no collection, and a sweep harms nothing."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from kill_points import ERASURE, STRATEGIES
from real_nights import Place, erase, finish, objects_of, place, return_to

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack
from nightjar.flows.audit import audit
from nightjar.flows.points import Point
from nightjar.flows.rollback import unhold
from nightjar.flows.sweeping import sweep
from nightjar.flows.versions import read_versions
from nightjar.lease import Lease
from nightjar.owner import Owner

pytestmark = [pytest.mark.services, pytest.mark.slow]

KEY = "people/wages-of-zoe.txt"
URI = f"s3://documents/h/{KEY}"
MARKS = ("wages-of-zoe", "Zoebemonto", "Wages of Zoe", "ninety thousand")
OLD_S = 8 * 24 * 3600


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("forgotten")) as found:
        yield found


def three_nights(servers: Place, name: str, *, strategy: str) -> Corpus:
    """The document comes, changes, and stays while others come."""
    corpus = servers.corpus(name, strategy=strategy)
    text = "# Wages of Zoe\n\nZoebemonto earns ninety thousand a year, and nobody else may know."
    servers.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    servers.put("broken.txt", "%BAD bytes")
    servers.put(KEY, text)
    servers.remove("travel.txt")
    assert servers.night(corpus)["state"] == "live"
    servers.put(KEY, f"{text}\n\n# Bonus\n\nZoebemonto had a bonus, too.")
    assert servers.night(corpus)["state"] == "live"
    servers.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    assert servers.night(corpus)["state"] == "live"
    return corpus


def state_files(servers: Place, corpus: Corpus) -> list[Path]:
    """Every file below the corpus's state: the gateway keeps a bucket as a folder."""
    folder = servers.folder / "s3" / "nightjar-state" / corpus.name
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert len(found) > 20
    return found


def saying_so(servers: Place, corpus: Corpus) -> list[str]:
    """Names of files, bytes as they lie there, Parquet unpacked, every object of every collection of the corpus."""
    found = []
    for path in state_files(servers, corpus):
        data = path.read_bytes()
        unpacked = ""
        if data[:4] == b"PAR1":
            table = pq.read_table(io.BytesIO(data))
            unpacked = f"{table.to_pydict()} {table.schema.metadata}"
        if any(mark in unpacked or mark.encode() in data or mark in str(path) for mark in MARKS):
            found.append(str(path))
    with servers.opened(corpus) as services:
        ours = [name for name in services.index.collections() if name.startswith(f"{corpus.alias}_b")]
        assert ours
        for name in ours:
            said = [str(properties) for properties, _ in objects_of(services, name).values()]
            found += [name for text in said if any(mark in text for mark in MARKS)]
    return found


def sound(servers: Place, corpus: Corpus) -> None:
    servers.consistent(corpus)
    with servers.opened(corpus) as services:
        assert audit(services).ok


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_is_left_but_the_source(servers: Place, strategy: str) -> None:
    corpus = three_nights(servers, f"all_{strategy}", strategy=strategy)
    assert len(saying_so(servers, corpus)) > 10
    kept = {i: o for i, o in servers.served(corpus).items() if o[0]["source_uri"] != URI}
    with servers.opened(corpus) as services:
        told = erase(services, URI, run_id="forget")
    assert told.in_source == (URI,)
    assert saying_so(servers, corpus) == []
    assert servers.served(corpus) == kept
    sound(servers, corpus)
    report = servers.night(corpus)
    assert (report["state"], report["erased"]) == ("unchanged", 1)
    with servers.opened(corpus) as services:
        return_to(services, 1, run_id="rollback")
        assert saying_so(servers, corpus) == []
        unhold(services)
    sound(servers, corpus)
    assert servers.night(corpus)["state"] == "live"
    assert saying_so(servers, corpus) == []
    sound(servers, corpus)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("point", ERASURE, ids=[point.name for point in ERASURE])
def test_an_erasure_that_is_killed_is_ended_by_the_next_run(servers: Place, strategy: str, point: Point) -> None:
    corpus = three_nights(servers, f"{strategy}_killed_{point.name}".lower(), strategy=strategy)
    assert servers.killed_erasure(corpus, point, URI), f"the erasure ended without passing {point!r}"
    assert servers.night(corpus)["state"] == "unchanged"
    assert saying_so(servers, corpus) == []
    sound(servers, corpus)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_after_a_sweep_one_can_go_back_to_every_version_kept(servers: Place, strategy: str) -> None:
    corpus = three_nights(servers, f"swept_{strategy}", strategy=strategy)
    corpus = corpus.model_copy(update={"index": corpus.index.model_copy(update={"keep_versions": 2})})
    then = time.time() - OLD_S
    files = state_files(servers, corpus)
    for path in files:
        os.utime(path, (then, then))
    with servers.opened(corpus) as services:
        lease = Lease.acquire(services.state, run_id="gc", owner=Owner.command(), ttl_s=services.lease_ttl_s)
        swept = sweep(services, lease=lease, actor="somebody")
        with pytest.raises(HeldBack):
            finish(services, run_id="beside")
        lease.release()
        assert swept.versions == (1,)
        assert swept.objects["vectors"] == 1
        assert len(files) - len(state_files(servers, corpus)) >= sum(swept.objects.values()) - 1
        return_to(services, 2, run_id="rollback")
        assert audit(services).ok
        return_to(services, 3, run_id="and-back")
        assert [version.number for version in read_versions(services.state)] == [3, 2]
        unhold(services)
    sound(servers, corpus)
    assert servers.night(corpus)["state"] == "unchanged"
