from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from nightjar.stages.enrich import Enriched, MetadataRules, enrich, names_groups, tally_set_aside, told_set_aside

FIELDS = {"department": "text", "year": "int", "teams": "text[]", "reviewed": "date", "draft": "bool"}


def enriched(
    rules: MetadataRules, *, key: str = "a.txt", own: dict[str, str] | None = None, sidecar: object = None
) -> Enriched:
    beside = sidecar if sidecar is None or isinstance(sidecar, bytes) else json.dumps(sidecar).encode()
    return enrich(key=key, object_metadata=own or {}, sidecar=beside, rules=rules)


def test_a_document_of_which_nothing_is_said_has_nothing() -> None:
    assert enriched(MetadataRules(FIELDS)) == Enriched({}, None, acl_unreadable=False, set_aside=())


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (0, "from the corpus file"),
        (1, "path"),
        (2, "own"),
        (3, "beside"),
    ],
)
def test_the_nearest_place_that_speaks_wins(places: int, expected: str) -> None:
    rules = MetadataRules(
        FIELDS,
        fixed={"department": "from the corpus file"},
        from_path="{department}/**" if places >= 1 else None,
    )
    found = enriched(
        rules,
        key="path/a.txt",
        own={"department": "own"} if places >= 2 else {},
        sidecar={"department": "beside"} if places >= 3 else None,
    )
    assert found.fields == {"department": expected}
    assert found.set_aside == ()


def test_texts_of_paths_and_headers_become_typed_values() -> None:
    rules = MetadataRules(FIELDS, from_path="{year}/**")
    found = enriched(rules, key="2024/hr/a.txt", own={"teams": "hr, legal", "reviewed": "2024-05-01", "draft": "TRUE"})
    assert found.fields == {
        "year": 2024,
        "teams": ("hr", "legal"),
        "reviewed": datetime(2024, 5, 1, tzinfo=UTC),
        "draft": True,
    }


def test_a_value_that_does_not_fit_is_set_aside_and_the_farther_one_stands() -> None:
    rules = MetadataRules(FIELDS, fixed={"year": 2020})
    found = enriched(rules, sidecar={"year": "soon", "department": "hr"})
    assert found.fields == {"year": 2020, "department": "hr"}
    assert found.set_aside == (("year", "is not a whole number"),)


def test_null_says_nothing() -> None:
    assert enriched(MetadataRules(FIELDS, fixed={"year": 2020}), sidecar={"year": None}).fields == {"year": 2020}


def test_a_path_that_does_not_fit_the_pattern_says_nothing() -> None:
    assert enriched(MetadataRules(FIELDS, from_path="{year}/{department}/**"), key="a.txt").fields == {}


def test_other_peoples_object_metadata_is_ignored() -> None:
    found = enriched(MetadataRules(FIELDS), own={"uploaded-by": "some tool"})
    assert found == Enriched({}, None, acl_unreadable=False, set_aside=())


def test_header_names_find_their_field_without_case_and_underscores() -> None:
    rules = MetadataRules({"page_count": "int", "costCentre": "text"})
    assert enriched(rules, own={"page-count": "3", "costcentre": "k7"}).fields == {"page_count": 3, "costCentre": "k7"}


def test_an_undeclared_field_of_a_sidecar_is_counted() -> None:
    assert enriched(MetadataRules(FIELDS), sidecar={"colour": "red"}).set_aside == (
        ("colour", "is not declared in metadata.fields"),
    )


def test_sidecars_are_not_looked_at_where_the_corpus_has_none() -> None:
    found = enriched(MetadataRules(FIELDS, sidecar=False), sidecar={"year": 2024, "acl": ["hr"]})
    assert found == Enriched({}, None, acl_unreadable=False, set_aside=())


@pytest.mark.parametrize(
    ("default", "own", "sidecar", "expected"),
    [
        (None, None, None, None),
        (("everyone",), None, None, ("everyone",)),
        ((), None, None, ()),
        (("everyone",), "hr", None, ("hr",)),
        (None, "hr, boss,", None, ("boss", "hr")),
        (("everyone",), "hr", ["legal"], ("legal",)),
        (("everyone",), None, [], ()),
        (None, None, ["b", "a", "b"], ("a", "b")),
    ],
)
def test_the_nearest_word_on_access_decides(
    default: tuple[str, ...] | None,
    own: str | None,
    sidecar: list[str] | None,
    expected: tuple[str, ...] | None,
) -> None:
    rules = MetadataRules(acl=default)
    beside = None if sidecar is None else {"acl": sidecar}
    found = enriched(rules, own={} if own is None else {"acl": own}, sidecar=beside)
    assert found.acl == expected
    assert found.acl_withheld == (expected == ())
    assert not found.acl_unreadable
    assert found.set_aside == ()


@pytest.mark.parametrize(
    "sidecar",
    [b"", b"\xff\xfe\xfa", b'{"year": 2024, "team": "\xff"}', b"[]", b'"hr"', b'{"acl": ["hr"]', b"[" * 100_000],
    ids=lambda raw: repr(raw[:9]),
)
def test_an_unreadable_sidecar_opens_nothing(sidecar: bytes) -> None:
    found = enriched(MetadataRules(FIELDS, fixed={"year": 2020}, acl=("everyone",)), sidecar=sidecar)
    assert found.acl_unreadable
    assert found.acl == ()
    assert found.acl_withheld
    assert found.fields == {"year": 2020}
    assert found.set_aside == (("sidecar", "is not readable as a JSON mapping of at most 64 KiB"),)


@pytest.mark.parametrize("acl", [5, True, {"hr": 1}, ["hr", 5], ["hr", ""], [["hr"]], ["\ud800"], ["h\x1fr"]])
def test_an_acl_that_is_no_list_of_groups_opens_nothing(acl: object) -> None:
    found = enriched(MetadataRules(FIELDS, acl=("everyone",)), sidecar={"acl": acl, "year": 2024})
    assert found.acl_unreadable
    assert found.acl == ()
    assert found.fields == {"year": 2024}
    assert [name for name, _ in found.set_aside] == ["acl"]


@pytest.mark.parametrize(
    ("own", "sidecar", "says"),
    [
        ({}, None, False),
        ({"acl": "hr"}, None, True),
        ({}, b'{"acl": []}', True),
        ({}, b'{"acl": null}', False),
        ({}, b"", True),
        ({}, b"{", True),
        (None, b'{"acl": ["hr"]}', True),
        (None, b'{"acl": null}', None),
        (None, None, None),
    ],
)
def test_who_names_the_groups(own: dict[str, str] | None, sidecar: bytes | None, *, says: bool | None) -> None:
    assert names_groups(object_metadata=own, sidecar=sidecar) is says


def test_no_value_is_quoted_in_what_was_set_aside() -> None:
    found = enriched(MetadataRules(FIELDS), sidecar={"year": "secret", "x" * 500: "secret", "acl": [{"secret": 1}]})
    assert "secret" not in str(found.set_aside)
    assert max(len(name) for name, _ in found.set_aside) == 80


def test_values_set_aside_are_counted_by_field_and_reason() -> None:
    rules = MetadataRules(FIELDS)
    found = [enriched(rules, sidecar=each) for each in ({"year": "soon"}, {"year": "x", "colour": 1}, {"year": 2024})]
    assert told_set_aside(tally_set_aside(found)) == (
        'values set aside: 2 of "year" (is not a whole number), 1 of "colour" (is not declared in metadata.fields)'
    )


def test_many_undeclared_names_are_one_number() -> None:
    found = [enriched(MetadataRules(FIELDS), sidecar={f"name {number}": 1 for number in range(1_500)})]
    tally = tally_set_aside(found)
    assert (len(tally), sum(each["values"] for each in tally)) == (21, 1_500)
    assert told_set_aside(tally).endswith(", 1,480 others")


def test_nothing_set_aside_says_nothing() -> None:
    assert told_set_aside(tally_set_aside([enriched(MetadataRules(FIELDS))])) == ""
