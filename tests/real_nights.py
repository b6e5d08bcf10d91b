"""Nights over real servers with a cheap parser and model: seconds each, and a process of its own for one that dies."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from s3_servers import ACCESS_KEY, SECRET_KEY, client_of, versitygw_server
from servers import Weaviate, weaviate_process
from world import Suites

from nightjar.adapters.memory.embedder import MemoryEmbedder, MemoryTokenizer
from nightjar.adapters.memory.parser import MemoryParser
from nightjar.corpus import Corpus
from nightjar.errors import NightjarError
from nightjar.flows import inplace
from nightjar.flows.checkouts import checkouts
from nightjar.flows.erasing import Forgotten, forget
from nightjar.flows.fence import holding
from nightjar.flows.graph import finds
from nightjar.flows.night import run_night
from nightjar.flows.points import Point
from nightjar.flows.rollback import ask_return
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.sweeping import Swept, sweep
from nightjar.flows.tidying import tidy
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import read_live
from nightjar.lease import TTL_S
from nightjar.model import CollectionName
from nightjar.owner import Owner
from nightjar.recipe import Recipe
from nightjar.settings import Settings
from nightjar.wiring import open_services

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENDINGS: Final = {11: "Superseded", 12: "HeldBack", 13: "Transient", 14: "Misconfigured"}
Objects = Mapping[str, tuple[Mapping[str, Any], bytes]]
"""Chunk id → (properties, bytes of the vector)."""


@dataclass
class Place:
    """Both servers, one bucket of documents that all corpora share, and nights against them."""

    folder: Path
    s3: S3Client
    weaviate: Weaviate
    environment: dict[str, str] = field(repr=False)
    runs: Iterator[int] = field(default_factory=itertools.count)

    def corpus(self, name: str, *, strategy: str) -> Corpus:
        """All corpora have one source, so that equal documents have equal ids."""
        path = self.folder / f"{name}.yaml"
        values = {
            "source": {"uri": "s3://documents/h/"},
            "index": {"alias": name.capitalize(), "strategy": strategy},
        }
        path.write_text(yaml.safe_dump(values))
        return Settings.from_environment(self.environment).corpus(str(path))

    def put(self, name: str, text: str) -> None:
        self.s3.put_object(Bucket="documents", Key=f"h/{name}", Body=text.encode())

    def remove(self, name: str) -> None:
        self.s3.delete_object(Bucket="documents", Key=f"h/{name}")

    def first_day(self) -> None:
        """Three documents, and one that cannot be read; nothing else."""
        for item in self.s3.list_objects_v2(Bucket="documents").get("Contents", []):
            self.s3.delete_object(Bucket="documents", Key=item["Key"])
        self.put("leave.txt", "# Leave\n\nEveryone has thirty days of leave a year.\n\nAsk your lead two weeks ahead.")
        self.put("travel.txt", "# Travel\n\nTrains before planes, always.")
        self.put("rooms.txt", "# Rooms\n\nThe large one is on the second floor.")
        self.put("broken.txt", "%BAD bytes")

    def second_day(self) -> None:
        """One of each: edited, added, renamed, deleted; what was corrupt is left as it was."""
        self.put("leave.txt", "# Leave\n\nEveryone has forty days of leave a year.\n\nAsk your lead two weeks ahead.")
        self.put("benefits.txt", "# Benefits\n\nA bicycle for everyone.")
        self.put("moved/travel.txt", "# Travel\n\nTrains before planes, always.")
        self.remove("travel.txt")
        self.remove("rooms.txt")

    @contextmanager
    def opened(self, corpus: Corpus, **doors: str) -> Iterator[Services]:
        """The corpus's doors in this process; `doors` replace variables of the environment."""
        services = opened_cheaply(corpus, {**self.environment, **doors})
        try:
            yield services
        finally:
            services.close()

    def night(self, corpus: Corpus, **doors: str) -> Mapping[str, Any]:
        """A whole night in this process."""
        with self.opened(corpus, **doors) as services:
            return spend(services, f"night-{next(self.runs)}")

    def killed_night(self, corpus: Corpus, point: Point, *, passing: int = 1) -> bool:
        """A night whose process SIGKILLs itself at the nth passing of `point`; false when it ended before."""
        return self._killed(_night_until, corpus, point, passing)

    @contextmanager
    def stalled_night(
        self, corpus: Corpus, point: Point, *, owner: Owner | None = None, ttl_s: float = TTL_S
    ) -> Iterator[Stalled]:
        """A night in a process that stops (SIGSTOP) at `point`, and goes on when it is told to."""
        arguments = (corpus, self.environment, f"run-{next(self.runs)}", point, owner, ttl_s)
        process = _processes().Process(target=_night_stalling_at, args=arguments)
        process.start()
        try:
            yield Stalled(process)
        finally:
            process.kill()
            process.join()

    def killed_rollback(self, corpus: Corpus, point: Point, *, passing: int = 1) -> bool:
        """The same of a rollback to version 1."""
        return self._killed(_rollback_until, corpus, point, passing)

    def killed_erasure(self, corpus: Corpus, point: Point, uri: str) -> bool:
        """The same of the erasure of one document."""
        return self._killed(_erasure_until, corpus, point, 1, uri)

    def killed_sweep(self, corpus: Corpus, point: Point) -> bool:
        """The same of a sweep."""
        return self._killed(_sweep_until, corpus, point, 1)

    def _killed(self, target: Callable[..., None], corpus: Corpus, point: Point, passing: int, *rest: str) -> bool:
        arguments = (
            corpus,
            self.environment,
            f"run-{next(self.runs)}",
            Moment(point, passing, inplace.GROUP_DOCUMENTS),
            *rest,
        )
        process = _processes().Process(target=target, args=arguments)
        process.start()
        process.join()
        assert process.exitcode in {0, -signal.SIGKILL}
        return process.exitcode == -signal.SIGKILL

    def served(self, corpus: Corpus) -> Objects:
        """What people find under the alias."""
        with self.opened(corpus) as services:
            target = services.index.alias(corpus.alias)
            return objects_of(services, target) if target else {}

    def consistent(self, corpus: Corpus) -> None:
        """Alias, `live.json`, records and collections say the same, every object is found, no dead run left a trace."""
        with self.opened(corpus) as services:
            live = read_live(services.state)
            assert live is not None
            assert services.index.alias(corpus.alias) == live.collection
            assert disagreement(services, live) is None
            records = [entry.value for entry in checkouts(services)]
            assert [record.collection for record in records if record.writing] == []
            name = CollectionName(live.collection)
            objects = list(services.index.scan(name, vectors=True))
            assert [each.chunk_id for each in objects if not finds(services, name, each)] == []
            ours = {name for name in services.index.collections() if name.startswith(f"{corpus.alias}_b")}
            assert ours == {record.collection for record in records}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a process dies: at the nth passing of a point, with so many documents in a group of a delta."""

    point: Point
    passing: int
    group: int


@dataclass(frozen=True)
class Stalled:
    """A night that stopped in mid-work."""

    process: ForkServerProcess

    def await_stop(self) -> None:
        """Until it stands still."""
        status = Path(f"/proc/{self.process.pid}/stat")
        while status.read_text().rpartition(")")[2].split()[0] != "T":
            assert self.process.is_alive(), "the night ended without passing the point"
            time.sleep(0.02)

    def go_on(self) -> str:
        """Let it run to its end: the name of the error that ended it, '' when there was none."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.join()
        return "" if self.process.exitcode == 0 else _ENDINGS[self.process.exitcode or 0]


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Both servers, as long as the block."""
    (folder / "weaviate").mkdir()
    (folder / "s3").mkdir()
    with weaviate_process(folder / "weaviate") as weaviate, versitygw_server(folder / "s3") as gateway:
        environment = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": gateway.endpoint,
            "WEAVIATE_URL": weaviate.http_url,
            "WEAVIATE_GRPC_URL": weaviate.grpc_url,
            "WEAVIATE_API_KEY": weaviate.api_key,
            "NIGHTJAR_STATE": "s3://nightjar-state",
            "NIGHTJAR_WORK": str(folder / "work"),
        }
        s3 = client_of(gateway.endpoint)
        s3.create_bucket(Bucket="documents")
        s3.create_bucket(Bucket="nightjar-state")
        try:
            yield Place(folder, s3, weaviate, environment)
        finally:
            s3.close()


def opened_cheaply(corpus: Corpus, environment: Mapping[str, str]) -> Services:
    """As the command line opens them, but for what reads and embeds."""
    os.environ.update(environment)
    services = open_services(corpus, Settings.from_environment(environment))
    tokenizer, parser, embedder, suites = MemoryTokenizer(), MemoryParser(), MemoryEmbedder(), Suites()
    recipe = Recipe(
        parse=dict(parser.recipe), chunk={"tokenizer": tokenizer.identity}, embed={"model": corpus.embed.model}
    )
    return replace(
        services,
        recipe=lambda: recipe,
        tokenizer=lambda: tokenizer,
        parser=lambda: parser,
        embedder=lambda: embedder,
        inspector=lambda: suites,
        opened_ahead=nullcontext,
    )


def spend(services: Services, run_id: str, *, owner: Owner | None = None) -> Mapping[str, Any]:
    """One night as the command line runs it, without its second tries, or as another owner's."""
    return run_night(services, run_id=run_id, owner=owner or Owner.command(), options=Options())


def return_to(services: Services, number: int, *, run_id: str) -> None:
    """One rollback."""
    ask_return(services, to=number, reason="")
    finish(services, run_id=run_id)


def erase(services: Services, uri: str, *, run_id: str) -> Forgotten:
    """One document, under the lease."""
    with holding(services, run_id=run_id, owner=Owner.command()) as (fenced, lease):
        return forget(fenced, [uri], reason="asked", lease=lease, actor="somebody")


def sweep_up(services: Services, *, run_id: str, owner: Owner | None = None) -> Swept:
    """`nightjar gc`, as the command line does it, or as another owner's."""
    with holding(services, run_id=run_id, owner=owner or Owner.command()) as (fenced, lease):
        return sweep(fenced, lease=lease, actor="somebody")


def finish(services: Services, *, run_id: str) -> None:
    """End what was left, under the lease, without a night."""
    with holding(services, run_id=run_id, owner=Owner.command()) as (fenced, lease):
        tidy(fenced, actor="somebody", lease=lease)


def objects_of(services: Services, name: str) -> Objects:
    """A whole collection."""
    found = services.index.scan(CollectionName(name), vectors=True)
    return {each.chunk_id: (each.properties, each.vector.tobytes()) for each in found}


def nothing_is_half_visible(found: Objects, before: Objects, after: Objects, *, strategy: str) -> None:
    """One version whole, or, in place, each document of both versions whole in one of them."""
    if strategy == "blue_green":
        assert found in (before, after)
        return
    old, new, standing = (_by_document(objects) for objects in (before, after, found))
    for document in old.keys() & new.keys():
        assert old[document] <= standing[document] or new[document] <= standing[document]
    assert found.keys() <= before.keys() | after.keys()


def _by_document(objects: Objects) -> dict[str, set[str]]:
    chunks: dict[str, set[str]] = {}
    for chunk_id, (properties, _) in objects.items():
        chunks.setdefault(str(properties["document_id"]), set()).add(chunk_id)
    return chunks


def _night_until(corpus: Corpus, environment: Mapping[str, str], run_id: str, moment: Moment) -> None:
    spend(_dying(corpus, environment, moment), run_id)


def _night_stalling_at(
    corpus: Corpus, environment: Mapping[str, str], run_id: str, point: Point, owner: Owner | None, ttl_s: float
) -> None:
    stalls = itertools.count()

    def stall(passed: Point) -> None:
        if passed is point and next(stalls) == 0:
            os.kill(os.getpid(), signal.SIGSTOP)

    services = replace(opened_cheaply(corpus, environment), passing=stall, lease_ttl_s=ttl_s)
    try:
        spend(services, run_id, owner=owner)
    except NightjarError as error:
        code = next(number for number, name in _ENDINGS.items() if name == type(error).__name__)
        sys.exit(code)


def _rollback_until(corpus: Corpus, environment: Mapping[str, str], run_id: str, moment: Moment) -> None:
    return_to(_dying(corpus, environment, moment), 1, run_id=run_id)


def _erasure_until(corpus: Corpus, environment: Mapping[str, str], run_id: str, moment: Moment, uri: str) -> None:
    erase(_dying(corpus, environment, moment), uri, run_id=run_id)


def _sweep_until(corpus: Corpus, environment: Mapping[str, str], run_id: str, moment: Moment) -> None:
    sweep_up(_dying(corpus, environment, moment), run_id=run_id)


def _dying(corpus: Corpus, environment: Mapping[str, str], moment: Moment) -> Services:
    inplace.GROUP_DOCUMENTS = moment.group  # type: ignore[misc]  # a test's own groups, in another process
    passings = itertools.count(1)

    def die(passed: Point) -> None:
        if passed is moment.point and next(passings) == moment.passing:
            os.kill(os.getpid(), signal.SIGKILL)

    return replace(opened_cheaply(corpus, environment), passing=die)


def _processes() -> ForkServerContext:
    """Processes that have imported all of this already, and share no connection with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context
