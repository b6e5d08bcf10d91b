"""With real servers: a forgotten document is in no file of the state and no collection, and a sweep harms nothing."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase

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

ZOE = "Zoe"
DYING = dict(zip(ERASURE, (f"{letter}oe" for letter in ascii_uppercase), strict=False))
"""Whose document's erasure is killed at a point."""
OLD_S = 8 * 24 * 3600


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("forgotten")) as found:
        yield found


def uri_of(person: str) -> str:
    return f"s3://documents/h/people/wages-of-{person.lower()}.txt"


def three_nights(servers: Place, *corpora: Corpus, people: Iterable[str] = (ZOE,)) -> None:
    """People's documents come, change, and stay while others come."""

    def put(person: str, more: str) -> None:
        text = f"# Wages of {person}\n\n{person}bemonto earns ninety thousand a year, and nobody else may know.{more}"
        servers.put(f"people/wages-of-{person.lower()}.txt", text)

    def night() -> None:
        for corpus in corpora:
            assert servers.night(corpus)["state"] == "live"

    servers.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.")
    servers.put("broken.txt", "%BAD bytes")
    servers.remove("travel.txt")
    for person in people:
        put(person, "")
    night()
    for person in people:
        put(person, f"\n\n# Bonus\n\n{person}bemonto had a bonus, too.")
    night()
    servers.put("travel.txt", "# Travel\n\nTrains before planes, always.")
    night()


def state_files(servers: Place, corpus: Corpus) -> list[Path]:
    """Every file below the corpus's state: the gateway keeps a bucket as a folder."""
    folder = servers.folder / "s3" / "nightjar-state" / corpus.name
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert len(found) > 20
    return found


def saying_so(servers: Place, corpus: Corpus, person: str = ZOE) -> list[str]:
    """Names of files, bytes as they lie there, Parquet unpacked, every object of every collection of the corpus."""
    marks = (f"wages-of-{person.lower()}", f"{person}bemonto", f"Wages of {person}")
    found = []
    for path in state_files(servers, corpus):
        data = path.read_bytes()
        unpacked = ""
        if data[:4] == b"PAR1":
            table = pq.read_table(io.BytesIO(data))
            unpacked = f"{table.to_pydict()} {table.schema.metadata}"
        if any(mark in unpacked or mark.encode() in data or mark in str(path) for mark in marks):
            found.append(str(path))
    with servers.opened(corpus) as services:
        ours = [name for name in services.index.collections() if name.startswith(f"{corpus.alias}_b")]
        assert ours
        for name in ours:
            said = [str(properties) for properties, _ in objects_of(services, name).values()]
            found += [name for text in said if any(mark in text for mark in marks)]
    return found


def sound(servers: Place, corpus: Corpus) -> None:
    servers.consistent(corpus)
    with servers.opened(corpus) as services:
        assert audit(services).ok


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_is_left_but_the_source(servers: Place, strategy: str) -> None:
    corpus = servers.corpus(f"all_{strategy}", strategy=strategy)
    three_nights(servers, corpus)
    assert len(saying_so(servers, corpus)) > 10
    kept = {i: o for i, o in servers.served(corpus).items() if o[0]["source_uri"] != uri_of(ZOE)}
    with servers.opened(corpus) as services:
        told = erase(services, uri_of(ZOE), run_id="forget")
    assert told.in_source == (uri_of(ZOE),)
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
def test_after_a_sweep_one_can_go_back_to_every_version_kept(servers: Place, strategy: str) -> None:
    corpus = servers.corpus(f"swept_{strategy}", strategy=strategy)
    three_nights(servers, corpus)
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


@pytest.fixture(scope="module")
def standing(servers: Place) -> Mapping[str, Corpus]:
    """By strategy, with a document for each point at which its erasure is killed; other tests are over by then."""
    corpora = {strategy: servers.corpus(f"killed_{strategy}", strategy=strategy) for strategy in STRATEGIES}
    three_nights(servers, *corpora.values(), people=DYING.values())
    return corpora


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("point", DYING, ids=lambda point: point.name)
def test_an_erasure_that_is_killed_is_ended_by_the_next_run(
    servers: Place, standing: Mapping[str, Corpus], strategy: str, point: Point
) -> None:
    corpus, person = standing[strategy], DYING[point]
    assert saying_so(servers, corpus, person)
    assert servers.killed_erasure(corpus, point, uri_of(person)), f"the erasure ended without passing {point!r}"
    assert servers.night(corpus)["state"] == "unchanged"
    assert saying_so(servers, corpus, person) == []
    sound(servers, corpus)
