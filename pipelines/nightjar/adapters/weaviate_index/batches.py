"""Objects into a collection, each one confirmed by the server or named in an error.

One request at a time per worker, whose answer is read before anything is counted. The client's own batching contexts
answer at their end only, can lose objects on the way, and cost twice the processor time for the same requests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import httpx
from weaviate.classes.data import DataObject
from weaviate.collections import Collection
from weaviate.exceptions import WeaviateBaseError, WeaviateInsertManyAllFailedError

from nightjar.adapters.weaviate_index.errors import named, refusal
from nightjar.errors import Transient, bounded
from nightjar.model import ChunkId, FieldValue, IndexObject

REQUEST_OBJECTS: Final = 300
REQUEST_CHARACTERS: Final = 8_000_000  # far below the 100 MB a server takes, and it bounds what waits in memory
IN_FLIGHT: Final = 2
_RETRIED_SINGLY: Final = 10  # more refusals than this in one request are no accident of single objects

Request = dict[ChunkId, IndexObject]


def write(collection: Collection[Any, Any], objects: Iterable[IndexObject], *, url: str) -> int:
    """Upsert `objects`, read lazily while earlier requests travel; returns how many were given, each confirmed.

    At most about `REQUEST_OBJECTS * (IN_FLIGHT + 2)` of them are held at once.

    Raises:
        Transient: some were refused even singly, or the server went away; nothing beyond what it confirmed is claimed.
        Misconfigured: the refusal's reason shows that no retry can help.
    """
    given = 0
    under_way: deque[tuple[Request, Future[dict[ChunkId, str]]]] = deque()
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="weaviate") as workers:
        try:
            for size, request in requests(objects):
                _make_room(under_way, request, url)
                under_way.append((request, workers.submit(_send, collection, request, url)))
                given += size
        finally:
            refused = _drain(under_way)
    _confirm(refused, url)
    return given


def requests(objects: Iterable[IndexObject]) -> Iterator[tuple[int, Request]]:
    """(objects taken, request): of equal ids within one request the last wins, as it would on the server."""
    taken, characters, request = 0, 0, Request()
    for each in objects:
        taken += 1
        characters += sum(len(value) for value in each.properties.values() if isinstance(value, str))
        request[each.chunk_id] = each
        if taken == REQUEST_OBJECTS or characters >= REQUEST_CHARACTERS:
            yield taken, request
            taken, characters, request = 0, 0, Request()
    if request:
        yield taken, request


def _make_room(under_way: deque[tuple[Request, Future[dict[ChunkId, str]]]], request: Request, url: str) -> None:
    """Wait for the oldest request when enough are under way, and for all that hold one of the same ids."""
    while under_way and (
        len(under_way) > IN_FLIGHT or any(not request.keys().isdisjoint(other) for other, _ in under_way)
    ):
        _confirm(under_way.popleft()[1].result(), url)


def _drain(under_way: deque[tuple[Request, Future[dict[ChunkId, str]]]]) -> dict[ChunkId, str]:
    """What was refused of all that is still under way."""
    refused: dict[ChunkId, str] = {}
    for _, answer in under_way:
        refused |= answer.result()
    return refused


def _confirm(refused: Mapping[ChunkId, str], url: str) -> None:
    if not refused:
        return
    chunk_id, reason = next(iter(refused.items()))
    raise refusal(f"{len(refused)} objects, the first of them chunk {chunk_id}: {reason}", url)


def _send(collection: Collection[Any, Any], request: Request, url: str) -> dict[ChunkId, str]:
    """Reasons by chunk id of what was refused even alone; everything else stands."""
    refused = _attempt(collection, request, url)
    if len(request) == 1:
        return refused
    singly = list(refused)[:_RETRIED_SINGLY]
    for chunk_id in singly:
        again = _attempt(collection, {chunk_id: request[chunk_id]}, url)
        if not again:
            del refused[chunk_id]
    return refused


def _attempt(collection: Collection[Any, Any], request: Request, url: str) -> dict[ChunkId, str]:
    """One request; reasons by chunk id of what the server, or the client's own encoder, refused."""
    try:
        answer = collection.data.insert_many([_encoded(each) for each in request.values()])
    except (WeaviateInsertManyAllFailedError, ValueError, TypeError) as error:
        return dict.fromkeys(request, bounded(str(error)))
    except (WeaviateBaseError, httpx.HTTPError) as error:
        raise named(error, url) from error
    if len(answer.uuids) + len(answer.errors) != len(request):
        raise Transient(f"Weaviate at {url} answered for {len(answer.uuids)} of {len(request)} objects of a request")
    ids = list(request)
    return {ids[position]: refusal.message for position, refusal in answer.errors.items()}


def _encoded(each: IndexObject) -> DataObject[dict[str, Any], None]:
    return DataObject(
        uuid=each.chunk_id,
        vector=each.vector.tolist(),
        properties={name: _plain(value) for name, value in each.properties.items() if value is not None},
    )


def _plain(value: FieldValue) -> Any:
    return list(value) if isinstance(value, tuple) else value
