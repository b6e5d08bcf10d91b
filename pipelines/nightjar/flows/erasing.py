"""`forget`: a document leaves everything that Nightjar keeps, at once and for good; `lift` lets it return."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nightjar.errors import Misconfigured
from nightjar.flows.erased import Erasure, Erasures, move_erased, read_erased
from nightjar.flows.points import Point
from nightjar.flows.removal import Removed, finish_erasures
from nightjar.flows.services import Services
from nightjar.flows.tidying import tidy
from nightjar.flows.traces import Traces, find_traces, id_of
from nightjar.lease import Lease
from nightjar.plural import counted

log = logging.getLogger(__name__)
_UNREACHABLE = (
    "earlier versions and backups of objects in the source and state buckets: delete them, or let them expire",
    "Weaviate's backups, and its own files until it compacts them",
    "Airflow's logs and the parameters of its runs, and Nightjar's own logs, which name source addresses",
    "questions that Airflow put to people about deletions and versions (XCom, Required Actions), which list addresses",
    "working folders of runs that were killed, on the machines where they ran",
    "golden questions that name it, in expectations/questions",
    "caches of applications that searched, and answers that they gave",
    "figures and single words in reports that many documents made together",
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased, and what is out of reach: source objects that stand, and copies that others keep.

    `nameless` are ids of which nothing was left that would tell where the source object lay.
    """

    documents: tuple[str, ...]
    removed: Removed
    in_source: tuple[str, ...]
    nameless: tuple[str, ...]
    copies: tuple[str, ...]

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Sentences for people, the most urgent first."""
        source = tuple(
            f"the source object {uri}, and its sidecar if it has one: delete them yourself" for uri in self.in_source
        )
        copies = tuple(f"the same content in {uri}: forget that, too, if it must go" for uri in self.copies)
        unseen = tuple(
            f"the source object of {each}, whose address nothing here tells any more" for each in self.nameless
        )
        return (*source, *unseen, *copies, *_UNREACHABLE)

    def as_json(self, corpus: str) -> dict[str, Any]:
        """The shape of `forget --json`."""
        return {
            "format": 1,
            "corpus": corpus,
            "erased": list(self.documents),
            "removed": {"objects": self.removed.objects, "stored": self.removed.stored},
            "in_source": list(self.in_source),
            "copies": list(self.copies),
            "unreachable": list(self.unreachable),
        }


def forget(services: Services, documents: Sequence[str], *, reason: str, lease: Lease, actor: str) -> Forgotten:
    """Erase documents (id, source uri, key, or key below `source.uri`) and refuse their return; safe to repeat.

    Applies under a hold as well, to every version and every collection. What is to be erased is recorded first, so that
    whoever takes the lease next ends what a crash left.

    Raises:
        Misconfigured: nobody knows one of them, and nothing was erased; or a manifest is missing or damaged.
        Transient: a collection kept objects: repeat it.
    """
    tidy(services, actor=actor, lease=lease)
    wanted = dict(id_of(services, named) for named in documents)
    traces = find_traces(services, wanted)
    entry = read_erased(services.state)
    known = entry.value if entry else {}
    for named in documents:
        _refuse_unknown(services, named, traces=traces, known=known)
    at = services.clock().isoformat(timespec="seconds")
    first = {each: Erasure(each, at=at, actor=actor, reason=reason) for each in wanted}
    opened = [_opened(known.get(each), first[each], traces.get(each), uri=uri) for each, uri in wanted.items()]
    lease.verify()
    move_erased(services.state, entry, opened)
    services.passing(Point.ERASURE_RECORDED)
    removed = finish_erasures(services, lease=lease)
    log.info("forgot documents=%d actor=%s", len(opened), actor)
    return Forgotten(
        documents=tuple(wanted),
        removed=removed,
        in_source=tuple(_standing(services, (each.uri for each in opened))),
        nameless=tuple(each.document_id for each in opened if not each.uri),
        copies=tuple(sorted({uri for each in traces.values() for uri in each.copies})),
    )


def lift(services: Services, documents: Sequence[str], *, lease: Lease, actor: str) -> tuple[str, ...]:
    """Let erased documents return with the next night; their ids. Repeating it changes nothing.

    Raises:
        Misconfigured: one of them was never erased, and nothing was lifted.
    """
    tidy(services, actor=actor, lease=lease)
    entry = read_erased(services.state)
    known = entry.value if entry else {}
    ids = [id_of(services, named)[0] for named in documents]
    for named, document in zip(documents, ids, strict=True):
        if document not in known:
            others = f"{counted(len(known), 'other was', 'others were')}, see erased.json" if known else "nothing was"
            raise Misconfigured(f"document {named} was never erased: {others}")
    at = services.clock().isoformat(timespec="seconds")
    due = [known[each] for each in ids if not known[each].lifted_at]
    if due:
        lease.verify()
        move_erased(services.state, entry, [replace(each, lifted_at=at, lifted_by=actor) for each in due])
    log.info("lifted documents=%d actor=%s", len(due), actor)
    return tuple(ids)


def _refuse_unknown(services: Services, named: str, *, traces: Mapping[str, Traces], known: Erasures) -> None:
    document, uri = id_of(services, named)
    if document in traces or document in known or any(_standing(services, [uri])):
        return
    raise Misconfigured(
        f"no document {named} in any version, run or listing of corpus {services.corpus.name}: give an id or a source"
        " uri as `nightjar search --json` and `nightjar quarantine` show it"
    )


def _opened(known: Erasure | None, first: Erasure, traces: Traces | None, *, uri: str) -> Erasure:
    """The document's erasure, begun or begun again; who asked first stays in the record until it was lifted."""
    erasure = first if known is None or known.lifted_at else replace(known, finished_at="")
    if traces is None:
        return replace(erasure, uri=uri)
    return replace(
        erasure,
        uri=uri or traces.uri,
        contents=tuple(sorted(traces.contents)),
        digests=tuple(sorted(traces.digests)),
    )


def _standing(services: Services, uris: Iterable[str]) -> Iterator[str]:
    """Those of which the source bucket still has the object."""
    root = f"s3://{services.corpus.bucket}/"
    for uri in uris:
        if uri.startswith(root) and services.source.exists(uri.removeprefix(root)):
            yield uri
