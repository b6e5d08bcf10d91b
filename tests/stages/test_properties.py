from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from nightjar.errors import Misconfigured
from nightjar.model import ChunkId, IndexObject
from nightjar.ports import Property
from nightjar.stages.properties import CHUNK_PROPERTIES, checked, compared, properties_of

WHEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_every_collection_begins_with_the_chunks_own_properties() -> None:
    assert properties_of({"year": "int"}) == (*CHUNK_PROPERTIES, Property("year", "int", "range"))


@pytest.mark.parametrize("name", [each.name for each in CHUNK_PROPERTIES] + ["id", "vector"])
def test_a_field_may_not_take_a_chunks_own_name(name: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        properties_of({name: "text"})


@pytest.mark.parametrize(
    "name", ["Year", "_year", "2024", "a-b", "", "size_searchable", "size_temp", "size_nullState", "é", "a\n"]
)
def test_a_field_that_the_index_cannot_name_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be a property"):
        properties_of({name: "text"})


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(Misconfigured, match=r"'float'.*number"):
        properties_of({"weight": "float"})


DECLARED = {each.name: each for each in properties_of({"year": "int", "due": "date", "teams": "text[]"})}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("year", 2026, 2026),
        ("year", "2026", 2026),
        ("due", "2026-11-23T02:00:00Z", WHEN),
        ("due", WHEN.astimezone(timezone(timedelta(hours=5))), WHEN),
        ("teams", "red", "red"),
        ("page_first", "3", 3),
    ],
)
def test_a_value_is_compared_as_its_property_has_it(name: str, value: object, wanted: object) -> None:
    assert compared(name, value, DECLARED) == wanted


@pytest.mark.parametrize(("name", "value"), [("year", "soon"), ("year", 2**53 + 1), ("teams", 5), ("due", 2026)])
def test_a_value_of_another_type_names_the_property(name: str, value: object) -> None:
    with pytest.raises(Misconfigured, match=f"{name}={value}"):
        compared(name, value, DECLARED)


@pytest.mark.parametrize("name", ["colour", "text", "table_html"])
def test_what_cannot_be_filtered_names_what_can(name: str) -> None:
    with pytest.raises(Misconfigured, match=rf"{name}'.*teams.*year"):
        compared(name, "red", DECLARED)


def test_an_object_with_a_finite_vector_passes_unchanged() -> None:
    sound = IndexObject(ChunkId("1"), {"text": "words"}, np.ones(3, np.float32))
    assert checked(sound, {"text"}) is sound
