"""One document's story, from a key in a bucket to an answer and out again: the test to read first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from world import World

from nightjar.adapters.memory.embedder import MemoryTokenizer
from nightjar.artifacts import EmbeddedContent
from nightjar.flows.versions import read_versions
from nightjar.model import Element, EmbeddedChunk, Fingerprint, ParsedDocument, SourceObject
from nightjar.ports import Query
from nightjar.stages.chunk import ChunkRules, chunk
from nightjar.stages.objects import index_objects
from nightjar.stages.states import State

LEAVE = "# Leave\n\nEveryone has thirty days of leave a year.\n\nAsk your lead two weeks ahead."


def test_a_document_as_a_value_walks_through_pure_rooms() -> None:
    # A listing names it; its id follows from where it lies, and from nothing else.
    found = SourceObject("s3://documents/h/leave.md", "h/leave.md", Fingerprint("etag", len(LEAVE), 0))

    # A parser saw elements, without knowing where they came from.
    parsed = ParsedDocument(
        media_type="text/markdown",
        charset="utf-8",
        title="Leave",
        language="eng",
        elements=(Element("Title", "Leave", depth=0), Element("NarrativeText", "Everyone has thirty days of leave.")),
    )

    # The chunker cuts passages that the model reads whole.
    chunks = chunk(parsed, tokenizer=MemoryTokenizer(), rules=ChunkRules(max_tokens=64))
    assert all(0 < passage.token_count <= 64 for passage in chunks)
    assert "thirty days" in " ".join(passage.text for passage in chunks)

    # An embedder adds vectors; only now can it be indexed, for the type has changed.
    embedded = tuple(EmbeddedChunk(passage, np.array([1.0, 0.0], np.float32)) for passage in chunks)
    content = EmbeddedContent(title=parsed.title, language=parsed.language, sketch="", chunks=embedded)

    # A manifest row says whose content it is; together they are what stands in a collection.
    row = {
        "document_id": found.document_id,
        "uri": found.uri,
        "key": found.key,
        "digest": "d",
        "media_type": parsed.media_type,
        "document_modified_us": 0,
        "fields": '{"department": "people"}',
        "acl": None,
    }
    (stands, *_) = index_objects(row, content, fields={"department": "text"})
    assert stands.properties["source_uri"] == found.uri
    assert stands.properties["department"] == "people"
    assert stands.properties["title"] == "Leave"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_its_nights_from_arrival_to_removal(world: World) -> None:
    # It arrives, and the next morning people find it.
    world.put("leave.md", LEAVE)
    world.put("travel.md", "# Travel\n\nTrains before planes, always.")
    assert world.night()["state"] == "live"
    (best, *_) = world.index.search("Handbook", Query("keyword", "thirty days of leave", None, limit=1))
    assert best.properties["source_uri"] == "s3://documents/h/leave.md"

    # Nothing happens: nothing is done.
    assert world.night()["state"] == "unchanged"

    # Somebody saves a damaged file over it: it is set aside with a reason, and what was found is found still.
    world.put("leave.md", "%BAD")
    assert world.night()["documents"]["quarantined"] == 1
    assert any("thirty days" in text for text in world.texts())

    # It is mended, with another number of days; only what is new is embedded.
    world.put("leave.md", LEAVE.replace("thirty", "forty"))
    report = world.night()
    assert report["documents"]["changed"] == 1
    assert any("forty days" in text for text in world.texts())

    # It is removed, and is gone the next morning; every version is remembered.
    world.source.remove("h/leave.md")
    assert world.night()["documents"]["deleted"] == 1
    assert not any("days of leave" in text for text in world.texts())
    assert [version.state for version in read_versions(world.state)] == [State.LIVE, *[State.RETIRED] * 3]
