"""What is written to the state comes back equal, and its keys are safe."""

import numpy as np
import pyarrow as pa
import pytest

from nightjar.artifacts import (
    ELEMENTS_PREFIX,
    VECTORS_PREFIX,
    EmbeddedContent,
    content_key_of,
    content_keys,
    elements_key,
    from_parquet,
    pack_elements,
    pack_vectors,
    run_key,
    unpack_elements,
    unpack_vectors,
    vectors_key,
)
from nightjar.errors import Misconfigured
from nightjar.model import Chunk, Element, EmbeddedChunk, ParsedDocument, chunk_id_of, document_id_of

DOCUMENT = ParsedDocument(
    media_type="text/html",
    charset="utf-8",
    title="Leave",
    language="eng",
    elements=(Element("Title", "Leave", page=1, depth=0), Element("Table", "a | b", table_html="<table/>")),
    notes=("one attachment was not read",),
)
CHUNK = Chunk(0, "Thirty days a year.", "Leave", ("Leave",), 1, 2, 9, "NarrativeText")


def test_elements_come_back_equal() -> None:
    assert unpack_elements(pack_elements(DOCUMENT), key="k") == DOCUMENT


def test_vectors_come_back_bit_for_bit() -> None:
    vectors = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32)
    content = EmbeddedContent("Leave", "eng", "sketch", tuple(EmbeddedChunk(CHUNK, v) for v in vectors))
    again = unpack_vectors(pack_vectors(content), key="k")
    assert [e.chunk for e in again.chunks] == [CHUNK, CHUNK]
    assert np.array_equal(np.stack([e.vector for e in again.chunks]), vectors)
    assert (again.title, again.language, again.tokens) == ("Leave", "eng", 18)


def test_a_damaged_object_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"manifests/x\.parquet is damaged"):
        from_parquet(b"PAR1 not really", key="manifests/x.parquet")


def test_the_same_bytes_read_as_another_type_are_another_content() -> None:
    assert content_key_of("d", "text/plain", "") != content_key_of("d", "text/html", "")


@pytest.mark.parametrize("run_id", ["../../live", "manual__2026-11-23T00:00:00+00:00", "a/b", "ü"])
def test_a_run_id_never_climbs_out_of_its_folder(run_id: str) -> None:
    key = run_key(run_id, "run.json")
    assert key.count("/") == 2
    assert ".." not in key


def test_a_chunk_keeps_its_id_when_another_is_inserted_above() -> None:
    document = document_id_of("s3://b/k")
    assert chunk_id_of(document, CHUNK.text_digest, 0) == chunk_id_of(document, CHUNK.text_digest, 0)
    assert chunk_id_of(document, CHUNK.text_digest, 1) != chunk_id_of(document, CHUNK.text_digest, 0)


def test_keys_of_a_column_are_those_of_single_contents() -> None:
    recipes, contents = pa.chunked_array([["r", None, "s"]]), pa.chunked_array([["abcd", "ef", "gh"]])
    assert content_keys(VECTORS_PREFIX, recipes=recipes, contents=contents).to_pylist() == [
        vectors_key("r", "abcd"), None, vectors_key("s", "gh"),
    ]  # fmt: skip
    assert content_keys(ELEMENTS_PREFIX, recipes=recipes, contents=contents)[0].as_py() == elements_key("r", "abcd")
