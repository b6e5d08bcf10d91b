"""What `ports.Index` promises, for every implementation: subclass `IndexContract` and give it an `index` fixture."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from nightjar.errors import Misconfigured
from nightjar.model import ChunkId, CollectionName, FieldValue, IndexObject, Vector
from nightjar.ports import CollectionSchema, Index, Query
from nightjar.stages.objects import set_apart
from nightjar.stages.properties import properties_of

FIELDS = {"department": "text", "year": "int", "weight": "number", "draft": "bool", "due": "date", "teams": "text[]"}
PROPERTIES = properties_of(FIELDS)
SCHEMA = CollectionSchema(PROPERTIES, "corpus handbook, version 1")
WHEN = datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)
DIMENSIONS = 8


def unit(seed: int, *, dimensions: int = DIMENSIONS) -> Vector:
    vector = np.random.default_rng(seed).normal(size=dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)


def chunk_id(number: int) -> ChunkId:
    return ChunkId(str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))))


def an_object(number: int, text: str = "words", **properties: FieldValue) -> IndexObject:
    values: dict[str, FieldValue | None] = {each.name: None for each in PROPERTIES}
    assert properties.keys() <= values.keys()
    return IndexObject(chunk_id(number), values | {"text": text, "ordinal": number} | properties, unit(number))


class IndexContract:
    @pytest.fixture
    def name(self, index: Index) -> Iterator[CollectionName]:
        name = CollectionName(f"Handbook_{uuid.uuid4().hex[:8]}")
        index.create(name, SCHEMA)
        yield name
        index.drop(name)

    @pytest.fixture
    def alias(self) -> str:
        return f"Alias_{uuid.uuid4().hex[:8]}"

    @pytest.fixture
    def served(self, index: Index, alias: str) -> Iterator[CollectionName]:
        """A collection that `alias` names; afterwards the alias stands on a leftover that nobody asks."""
        name, parking = (CollectionName(f"{kind}_{uuid.uuid4().hex[:8]}") for kind in ("Served", "Parking"))
        index.create(name, SCHEMA)
        index.point(alias, name)
        yield name
        index.create(parking, SCHEMA)
        index.point(alias, parking)
        index.drop(name)

    def test_a_created_collection_is_listed(self, index: Index, name: CollectionName) -> None:
        assert name in index.collections()

    def test_creating_an_equal_collection_again_keeps_what_stands(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1)])
        index.create(name, SCHEMA)
        assert index.count(name) == 1

    def test_a_standing_collection_with_another_schema_is_refused(self, index: Index, name: CollectionName) -> None:
        other = CollectionSchema(properties_of(FIELDS | {"year": "text"}), SCHEMA.description)
        with pytest.raises(Misconfigured, match=name):
            index.create(name, other)

    def test_a_name_in_lower_case_is_refused(self, index: Index) -> None:
        with pytest.raises(Misconfigured, match="capital"):
            index.create(CollectionName("handbook"), SCHEMA)

    def test_what_was_written_is_fetched_with_equal_digest(self, index: Index, name: CollectionName) -> None:
        full = an_object(
            1,
            "naïve ☃ \U0001f600 text",
            title="",
            heading_path=("One", "Two"),
            acl=(),
            page_first=3,
            modified_at=WHEN,
            department="hr",
            year=2**53,
            weight=2.0,
            draft=False,
            due=WHEN,
            teams=("a", "b"),
        )
        index.write(name, [full])
        assert index.fetch(name, [full.chunk_id])[full.chunk_id].digest == full.digest

    def test_absent_values_come_back_as_none(self, index: Index, name: CollectionName) -> None:
        sparse = IndexObject(chunk_id(1), {"text": "alone"}, unit(1))
        index.write(name, [sparse])
        found = index.fetch(name, [sparse.chunk_id])[sparse.chunk_id].properties
        assert set(found) == {each.name for each in PROPERTIES}
        assert found["year"] is None

    def test_ids_that_do_not_stand_are_missing_from_a_fetch(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1)])
        assert set(index.fetch(name, [chunk_id(1), chunk_id(2)])) == {chunk_id(1)}

    def test_a_thousand_equal_passages_hide_no_other(self, index: Index, name: CollectionName) -> None:
        base, rare = unit(0, dimensions=384), [an_object(number) for number in range(1_000, 1_004)]
        equal = [replace(an_object(number), vector=base) for number in range(1_000)]
        others = [replace(each, vector=unit(number, dimensions=384)) for number, each in enumerate(rare, 1)]
        stand = [replace(each, vector=set_apart(each.vector, each.chunk_id)) for each in equal + others]
        index.write(name, stand)
        for each in stand[-len(others) :]:
            found = index.search(name, Query(mode="vector", text="", vector=each.vector, limit=200))
            assert each.chunk_id in {hit.chunk_id for hit in found}

    def test_write_returns_how_many_were_given(self, index: Index, name: CollectionName) -> None:
        assert index.write(name, (an_object(number) for number in range(650))) == 650

    def test_the_count_is_exact_after_a_write(self, index: Index, name: CollectionName) -> None:
        index.write(name, (an_object(number) for number in range(650)))
        index.write(name, (an_object(number) for number in range(600, 700)))
        assert index.count(name) == 700

    def test_writing_nothing_is_no_error(self, index: Index, name: CollectionName) -> None:
        assert index.write(name, []) == 0

    def test_the_last_of_equal_ids_stands(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1, "first"), an_object(1, "second")])
        assert index.fetch(name, [chunk_id(1)])[chunk_id(1)].properties["text"] == "second"

    def test_the_last_of_equal_ids_stands_across_requests(self, index: Index, name: CollectionName) -> None:
        between = (an_object(number) for number in range(2, 302))
        index.write(name, [an_object(1, "first"), *between, an_object(1, "second")])
        assert index.fetch(name, [chunk_id(1)])[chunk_id(1)].properties["text"] == "second"

    def test_an_upsert_replaces_properties_and_vector(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1, "old", department="hr")])
        index.write(name, [IndexObject(chunk_id(1), an_object(1, "new").properties, unit(9))])
        found = index.fetch(name, [chunk_id(1)])[chunk_id(1)]
        assert (found.properties["text"], found.properties["department"]) == ("new", None)
        np.testing.assert_array_equal(found.vector, unit(9))

    @pytest.mark.parametrize(
        "vector",
        [
            pytest.param(np.empty(0, np.float32), id="absent"),
            pytest.param(np.full(DIMENSIONS, np.nan, np.float32), id="nan"),
            pytest.param(np.full(DIMENSIONS, np.inf, np.float32), id="infinite"),
            pytest.param(np.ones((2, DIMENSIONS), np.float32), id="two rows"),
        ],
    )
    def test_a_vector_that_could_not_be_found_is_refused(
        self, index: Index, name: CollectionName, vector: Vector
    ) -> None:
        with pytest.raises(Misconfigured, match=chunk_id(1)):
            index.write(name, [IndexObject(chunk_id(1), {"text": "words"}, vector)])

    def test_an_undeclared_property_is_refused_by_name(self, index: Index, name: CollectionName) -> None:
        with pytest.raises(Misconfigured, match="colour"):
            index.write(name, [IndexObject(chunk_id(1), {"colour": "red"}, unit(1))])

    def test_writing_to_a_collection_that_is_not_there_names_it(self, index: Index) -> None:
        with pytest.raises(Misconfigured, match="Nowhere_b0001"):
            index.write(CollectionName("Nowhere_b0001"), [an_object(1)])

    def test_deleted_objects_are_gone_and_the_others_stand(self, index: Index, name: CollectionName) -> None:
        index.write(name, map(an_object, range(520)))
        index.delete(name, [chunk_id(number) for number in range(510)])
        assert {each.chunk_id for each in index.scan(name, vectors=False)} == set(map(chunk_id, range(510, 520)))

    def test_deleting_what_is_not_there_is_no_error(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1)])
        index.delete(name, [chunk_id(2)])
        assert index.count(name) == 1

    def test_the_objects_of_documents_are_found_whole(self, index: Index, name: CollectionName) -> None:
        large = [an_object(number, document_id="large") for number in range(1203)]
        index.write(name, [*large, an_object(5000, document_id="small"), an_object(5001, document_id="larger")])
        found = list(index.of_documents(name, ["large", "small", "absent"]))
        assert sorted(each.chunk_id for each in found) == sorted(map(chunk_id, [*range(1203), 5000]))
        assert {each.chunk_id: each.digest for each in found}[chunk_id(7)] == large[7].digest

    def test_a_standing_collection_tells_its_schema(self, index: Index, name: CollectionName) -> None:
        standing = index.schema(name)
        assert set(standing.properties) == set(PROPERTIES)
        assert replace(standing, properties=PROPERTIES) == SCHEMA

    def test_a_collection_is_extended_by_what_it_lacks(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1, department="hr")])
        index.extend(name, properties_of(FIELDS | {"grade": "int"}))
        found = index.fetch(name, [chunk_id(1)])[chunk_id(1)].properties
        assert (found["grade"], found["department"]) == (None, "hr")
        graded = {"text": "words", "ordinal": 2, "grade": 7}
        index.write(name, [IndexObject(chunk_id(2), graded, unit(2))])
        hits = index.search(name, Query("vector", "", unit(1), 5, where={"grade": 7}))
        assert [hit.chunk_id for hit in hits] == [chunk_id(2)]

    def test_a_scan_with_vectors_gives_every_object_once(self, index: Index, name: CollectionName) -> None:
        written = {each.chunk_id: each.digest for each in map(an_object, range(520))}
        index.write(name, map(an_object, range(520)))
        scanned = list(index.scan(name, vectors=True))
        assert len(scanned) == 520
        assert {each.chunk_id: each.digest for each in scanned} == written

    def test_a_scan_without_vectors_has_empty_ones(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1)])
        assert [each.vector.size for each in index.scan(name, vectors=False)] == [0]

    def test_vector_search_scores_by_cosine(self, index: Index, name: CollectionName) -> None:
        index.write(name, map(an_object, range(50)))
        asked = unit(7) + 0.1 * unit(99)
        hits = index.search(name, Query("vector", "", asked, 3))
        cosines = {chunk_id(n): float(unit(n) @ asked / np.linalg.norm(asked)) for n in range(50)}
        assert [hit.chunk_id for hit in hits] == sorted(cosines, key=lambda each: -cosines[each])[:3]
        assert hits[0].score == pytest.approx(cosines[chunk_id(7)], abs=1e-5)

    @pytest.mark.parametrize("property_name", ["text", "title", "heading_path"])
    def test_keyword_search_reads(self, index: Index, name: CollectionName, property_name: str) -> None:
        value: object = ("Holiday rules",) if property_name == "heading_path" else "Holiday rules"
        found = an_object(1, **{"text": "plain"} | {property_name: value})
        index.write(name, [found, an_object(2), an_object(3)])
        assert [hit.chunk_id for hit in index.search(name, Query("keyword", "HOLIDAY", None, 5))] == [chunk_id(1)]

    def test_keyword_search_does_not_read_exact_properties(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1, source_uri="s3://bucket/holiday")])
        assert index.search(name, Query("keyword", "holiday", None, 5)) == []

    @pytest.mark.parametrize("text", ["", "the", "?!", "unheard"])
    def test_a_question_without_known_words_finds_nothing(self, index: Index, name: CollectionName, text: str) -> None:
        index.write(name, [an_object(1)])
        assert index.search(name, Query("keyword", text, None, 5)) == []

    def test_hybrid_search_puts_first_what_both_find(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1, "holiday rules"), an_object(2, "holiday"), *map(an_object, range(3, 20))])
        hits = index.search(name, Query("hybrid", "holiday rules", unit(1), 5))
        assert hits[0].chunk_id == chunk_id(1)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)

    def test_hybrid_search_without_words_falls_back_on_the_vector(self, index: Index, name: CollectionName) -> None:
        index.write(name, map(an_object, range(5)))
        assert index.search(name, Query("hybrid", "", unit(3), 1))[0].chunk_id == chunk_id(3)

    def test_hits_carry_their_properties(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1, heading_path=("A", "B"))])
        [hit] = index.search(name, Query("vector", "", unit(1), 1))
        assert hit.properties == an_object(1, heading_path=("A", "B")).properties

    @pytest.mark.parametrize("mode", ["vector", "hybrid"])
    def test_a_search_that_needs_a_vector_says_so(self, index: Index, name: CollectionName, mode: str) -> None:
        with pytest.raises(Misconfigured, match="vector"):
            index.search(name, Query(mode, "words", None, 5))

    def test_an_unknown_mode_is_refused(self, index: Index, name: CollectionName) -> None:
        with pytest.raises(Misconfigured, match="fuzzy"):
            index.search(name, Query("fuzzy", "words", None, 5))

    @pytest.mark.parametrize(
        ("field", "value", "other"),
        [
            ("department", "hr", "hr and more"),
            ("year", 2026, 2025),
            ("weight", 2.0, 2.5),
            ("draft", False, True),
            ("due", WHEN, datetime(2026, 1, 1, tzinfo=UTC)),
            ("teams", "red", "redder"),
        ],
    )
    def test_a_filter_is_an_equality_of_its_type(
        self, index: Index, name: CollectionName, field: str, value: FieldValue, other: FieldValue
    ) -> None:
        held = {True: (value, "x"), False: value}[field == "teams"]
        held_elsewhere = {True: (other,), False: other}[field == "teams"]
        index.write(name, [an_object(1, **{field: held}), an_object(2, **{field: held_elsewhere}), an_object(3)])
        assert not isinstance(value, tuple)
        hits = index.search(name, Query("vector", "", unit(1), 5, where={field: value}))
        assert [hit.chunk_id for hit in hits] == [chunk_id(1)]

    def test_filters_hold_together(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1, department="hr", year=1), an_object(2, department="hr", year=2)])
        hits = index.search(name, Query("keyword", "words", None, 5, where={"department": "hr", "year": 2}))
        assert [hit.chunk_id for hit in hits] == [chunk_id(2)]

    @pytest.mark.parametrize("field", ["colour", "text"])
    def test_a_filter_by_what_cannot_be_filtered_names_it(self, index: Index, name: CollectionName, field: str) -> None:
        index.write(name, [an_object(1)])
        with pytest.raises(Misconfigured, match=field):
            index.search(name, Query("vector", "", unit(1), 5, where={field: "red"}))

    def test_a_filter_of_another_type_names_the_property(self, index: Index, name: CollectionName) -> None:
        index.write(name, [an_object(1)])
        with pytest.raises(Misconfigured, match="year"):
            index.search(name, Query("vector", "", unit(1), 5, where={"year": "soon"}))

    @pytest.mark.parametrize(
        ("acl", "seen"),
        [(None, {1, 2, 3}), ((), set()), (("hr",), {1}), (("hr", "sales"), {1, 2}), (("h",), set()), (("HR",), set())],
    )
    def test_only_members_of_a_group_see_its_chunks(
        self, index: Index, name: CollectionName, acl: tuple[str, ...] | None, seen: set[int]
    ) -> None:
        index.write(name, [an_object(1, acl=("hr",)), an_object(2, acl=("sales", "x")), an_object(3)])
        hits = index.search(name, Query("vector", "", unit(1), 5, acl=acl))
        assert {hit.chunk_id for hit in hits} == {chunk_id(number) for number in seen}

    def test_an_alias_that_was_never_set_names_nothing(self, index: Index, alias: str) -> None:
        assert index.alias(alias) is None

    def test_an_alias_names_what_it_was_pointed_at(self, index: Index, alias: str, served: CollectionName) -> None:
        assert index.alias(alias) == served

    def test_an_alias_moves(self, index: Index, alias: str, served: CollectionName, name: CollectionName) -> None:
        index.point(alias, name)
        assert index.alias(alias) == name
        index.point(alias, served)

    def test_pointing_twice_is_no_error(self, index: Index, alias: str, served: CollectionName) -> None:
        index.point(alias, served)
        assert index.alias(alias) == served

    def test_an_alias_is_searched_like_its_collection(self, index: Index, alias: str, served: CollectionName) -> None:
        index.write(served, [an_object(1, department="hr"), an_object(2)])
        hits = index.search(alias, Query("hybrid", "words", unit(1), 5, where={"department": "hr"}))
        assert [hit.chunk_id for hit in hits] == [chunk_id(1)]

    def test_a_collection_that_an_alias_names_is_not_dropped(
        self, index: Index, alias: str, served: CollectionName
    ) -> None:
        with pytest.raises(Misconfigured, match=alias):
            index.drop(served)
        assert served in index.collections()

    def test_dropping_what_is_not_there_is_no_error(self, index: Index) -> None:
        index.drop(CollectionName("Nowhere_b0001"))

    def test_an_alias_named_like_a_collection_is_refused(
        self, index: Index, name: CollectionName, served: CollectionName
    ) -> None:
        with pytest.raises(Misconfigured, match="cannot be an alias"):
            index.point(name, served)

    def test_an_alias_to_nothing_is_refused(self, index: Index, alias: str) -> None:
        with pytest.raises(Misconfigured, match="Nowhere_b0001"):
            index.point(alias, CollectionName("Nowhere_b0001"))
        assert index.alias(alias) is None

    def test_describing_what_is_not_there_names_it(self, index: Index) -> None:
        with pytest.raises(Misconfigured, match="Nowhere_b0001"):
            index.describe(CollectionName("Nowhere_b0001"), "words")
