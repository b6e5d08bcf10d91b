"""A real server refuses, dies, or is not the one that was meant: nothing may be claimed that does not stand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from contract_index import SCHEMA, an_object, chunk_id, unit
from servers import Weaviate, free_ports, weaviate_process

from nightjar.adapters.weaviate_index.batches import REQUEST_OBJECTS
from nightjar.adapters.weaviate_index.index import WeaviateIndex
from nightjar.errors import Misconfigured, Transient
from nightjar.model import CollectionName, IndexObject
from nightjar.ports import CollectionSchema, Query
from nightjar.stages.enrich import LARGEST_SIDECAR

pytestmark = pytest.mark.services


@pytest.fixture
def name(index: WeaviateIndex) -> Iterator[CollectionName]:
    name = CollectionName(f"Faults_{uuid.uuid4().hex[:8]}")
    index.create(name, SCHEMA)
    yield name
    index.drop(name)


def of_other_dimensions(number: int) -> IndexObject:
    return IndexObject(chunk_id(number), {"text": "words"}, unit(number, dimensions=5))


def test_one_object_refused_among_500_is_named_and_the_others_stand(index: WeaviateIndex, name: CollectionName) -> None:
    index.write(name, [an_object(1000)])
    given = [an_object(n) if n != 250 else of_other_dimensions(n) for n in range(500)]
    with pytest.raises(Misconfigured, match=f"refused 1 objects, the first of them chunk {chunk_id(250)}"):
        index.write(name, given)
    assert index.count(name) == 500
    assert chunk_id(250) not in index.fetch(name, [chunk_id(250)])


def test_one_object_that_cannot_be_encoded_takes_no_other_with_it(index: WeaviateIndex, name: CollectionName) -> None:
    broken = IndexObject(chunk_id(3), {"text": "\ud800"}, unit(3))
    with pytest.raises(Misconfigured, match=chunk_id(3)):
        index.write(name, [an_object(1), an_object(2), broken])
    assert index.count(name) == 2


def test_a_request_refused_whole_is_counted_and_its_reason_given(index: WeaviateIndex, name: CollectionName) -> None:
    index.write(name, [an_object(1000)])
    with pytest.raises(Misconfigured, match=r"refused 40 objects.*dimensions do not match"):
        index.write(name, map(of_other_dimensions, range(40)))
    assert index.count(name) == 1


def test_a_page_of_objects_with_the_largest_metadata_fits_an_answer(index: WeaviateIndex, name: CollectionName) -> None:
    written = [an_object(number, department="x" * LARGEST_SIDECAR) for number in range(600)]
    index.write(name, written)
    assert len(index.fetch(name, [each.chunk_id for each in written])) == 600
    assert sum(1 for _ in index.scan(name, vectors=True)) == 600


def test_refusals_stop_the_reading(index: WeaviateIndex, name: CollectionName) -> None:
    index.write(name, [an_object(100_000)])
    read: list[int] = []

    def objects() -> Iterator[IndexObject]:
        for number in range(20 * REQUEST_OBJECTS):
            read.append(number)
            yield of_other_dimensions(number)

    with pytest.raises(Misconfigured):
        index.write(name, objects())
    assert len(read) <= 5 * REQUEST_OBJECTS


def test_a_document_text_never_reaches_the_log(
    index: WeaviateIndex, name: CollectionName, caplog: pytest.LogCaptureFixture
) -> None:
    index.write(name, [an_object(1)])
    with pytest.raises(Misconfigured):
        index.write(name, [IndexObject(chunk_id(2), {"text": "confidential"}, unit(2, dimensions=5)), an_object(3)])
    assert "confidential" not in caplog.text


def test_a_read_only_server_says_what_to_do(index: WeaviateIndex, name: CollectionName) -> None:
    config = index._collection(name).config
    config.update_shards("READONLY")
    try:
        with pytest.raises(Misconfigured, match="disk is nearly full"):
            index.write(name, [an_object(1)])
    finally:
        config.update_shards("READY")


def test_a_wrong_key_is_one_sentence(weaviate_running: Weaviate) -> None:
    stranger = WeaviateIndex(http_url=weaviate_running.http_url, grpc_url=weaviate_running.grpc_url, api_key="wrong")
    with pytest.raises(Misconfigured, match="refused the API key: set WEAVIATE_API_KEY"):
        stranger.check()


def test_no_key_where_one_is_needed_is_one_sentence(weaviate_running: Weaviate) -> None:
    stranger = WeaviateIndex(http_url=weaviate_running.http_url, grpc_url=weaviate_running.grpc_url)
    with pytest.raises(Misconfigured, match="refused the API key: set WEAVIATE_API_KEY"):
        stranger.check()


def test_a_wrong_grpc_port_names_its_variable(weaviate_running: Weaviate) -> None:
    [nobody] = free_ports(1)
    half = WeaviateIndex(
        http_url=weaviate_running.http_url, grpc_url=f"127.0.0.1:{nobody}", api_key=weaviate_running.api_key
    )
    try:
        with pytest.raises(Misconfigured, match="WEAVIATE_GRPC_URL"):
            half.check()
    finally:
        half.close()


def test_check_tells_the_version(index: WeaviateIndex) -> None:
    assert index.check().split(".")[0] == "1"


def test_more_replicas_than_nodes_are_refused(index: WeaviateIndex) -> None:
    with pytest.raises(Misconfigured, match="replic"):
        index.create(CollectionName("Replicated"), CollectionSchema(SCHEMA.properties, "", replicas=3))


@pytest.mark.parametrize("quantization", ["none", "rq", "sq", "bq", "pq"])
def test_a_quantization_is_what_stands(index: WeaviateIndex, quantization: str) -> None:
    name = CollectionName(f"Quantized_{quantization}")
    schema = CollectionSchema(SCHEMA.properties, "", quantization=quantization)
    index.create(name, schema)
    index.create(name, schema)
    index.drop(name)


def test_a_changed_quantization_is_refused(index: WeaviateIndex, name: CollectionName) -> None:
    with pytest.raises(Misconfigured, match="quantization is none, not rq"):
        index.create(name, CollectionSchema(SCHEMA.properties, "", quantization="rq"))


def test_an_unknown_quantization_names_the_known_ones(index: WeaviateIndex) -> None:
    with pytest.raises(Misconfigured, match="none, rq, sq, bq, pq"):
        index.create(CollectionName("Odd"), CollectionSchema(SCHEMA.properties, "", quantization="zip"))


def test_a_description_is_replaced(index: WeaviateIndex, name: CollectionName) -> None:
    index.describe(name, "corpus handbook, version 2")
    assert index._config(name).description == "corpus handbook, version 2"


def test_a_server_that_is_down_is_transient_in_mid_run_and_a_misconfiguration_at_the_start() -> None:
    [nobody] = free_ports(1)
    down = WeaviateIndex(http_url=f"http://127.0.0.1:{nobody}", api_key="key")
    with pytest.raises(Transient, match=f"127.0.0.1:{nobody}"):
        down.collections()
    with pytest.raises(Misconfigured, match=f"127.0.0.1:{nobody}"):
        down.check()


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_a_server_killed_in_mid_batch_is_transient(tmp_path: Path) -> None:
    with weaviate_process(tmp_path) as server:
        index = WeaviateIndex(http_url=server.http_url, grpc_url=server.grpc_url, api_key=server.api_key)
        name = CollectionName("Killed")
        index.create(name, SCHEMA)

        def objects() -> Iterator[IndexObject]:
            for number in range(4 * REQUEST_OBJECTS):
                if number == 2 * REQUEST_OBJECTS:
                    server.kill()
                yield an_object(number)

        with pytest.raises(Transient, match=server.http_url):
            index.write(name, objects())
        with pytest.raises(Transient, match=server.http_url):
            index.search(name, Query("vector", "", np.ones(8, np.float32), 1, where={"year": 1}))
        index.close()
