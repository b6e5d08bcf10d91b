from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from nightjar.errors import Misconfigured
from nightjar.model import ChunkId, IndexObject
from nightjar.ports import Property
from nightjar.stages.properties import CHUNK_PROPERTIES, checked, fit, fitted, properties_of

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


@pytest.mark.parametrize(
    ("value", "kind", "plain"),
    [
        (None, "text", None),
        ("words", "text", "words"),
        (np.str_("words"), "text", "words"),
        ("half \ud83d pair", "text", "half \ufffd pair"),
        (["b", "a"], "text[]", ("b", "a")),
        ({"b", "a"}, "text[]", ("a", "b")),
        (np.array(["a", "b"]), "text[]", ("a", "b")),
        ((), "text[]", ()),
        (["\udc00"], "text[]", ("\ufffd",)),
        (3, "int", 3),
        (np.int64(3), "int", 3),
        (-(2**53), "int", -(2**53)),
        (2, "number", 2.0),
        (np.float32(0.5), "number", 0.5),
        (True, "bool", True),
        (np.array([False])[0], "bool", False),
        (WHEN, "date", WHEN),
        (WHEN.astimezone(timezone(timedelta(hours=5))), "date", WHEN),
        (datetime(2026, 11, 23, 2, 0), "date", WHEN),  # noqa: DTZ001 - a naive time is the case
        (date(2026, 11, 23), "date", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T02:00:00Z", "date", WHEN),
        ("2026-11-23", "date", datetime(2026, 11, 23, tzinfo=UTC)),
    ],
)
def test_a_value_that_fits_becomes_plain(value: object, kind: str, plain: object) -> None:
    found = fit(value, kind)
    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"bytes", "text"),
        (3, "text"),
        ("text", "text[]"),
        ([1], "text[]"),
        ([None], "text[]"),
        ("2024", "int"),
        (3.0, "int"),
        (True, "int"),
        (2**53 + 1, "int"),
        ("0.5", "number"),
        (math.nan, "number"),
        (np.float32("inf"), "number"),
        (True, "number"),
        (1, "bool"),
        ("yes", "bool"),
        ("soon", "date"),
        (2026, "date"),
        ("0001-01-01T00:00:00+05:00", "date"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_without_being_shown(value: object, kind: str) -> None:
    with pytest.raises(ValueError, match=r"^needs ") as refused:
        fit(value, kind)
    assert "soon" not in str(refused.value)


def test_every_property_has_a_value_or_none_in_declared_order() -> None:
    found = fitted({"year": 2026, "text": "words"}, properties_of({"year": "int"}))
    assert list(found.values) == [each.name for each in CHUNK_PROPERTIES] + ["year"]
    assert (found.values["text"], found.values["year"], found.values["title"]) == ("words", 2026, None)


def test_a_value_that_does_not_fit_is_set_aside_by_name() -> None:
    found = fitted({"text": "words", "year": "2024"}, properties_of({"year": "int"}))
    assert (found.values["text"], found.values["year"]) == ("words", None)
    assert [each.name for each in found.unfit] == ["year"]


def test_values_that_are_not_declared_are_left_out() -> None:
    assert "colour" not in fitted({"colour": "red"}, properties_of({})).values


def test_an_object_with_a_finite_vector_passes_unchanged() -> None:
    sound = IndexObject(ChunkId("1"), {"text": "words"}, np.ones(3, np.float32))
    assert checked(sound, {"text"}) is sound
