"""What counts as added, changed, gone, retried or remade, as truth tables over small listings."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pytest

from nightjar.artifacts import MANIFEST, rows_table
from nightjar.errors import Code
from nightjar.model import document_id_of
from nightjar.recipe import Recipe
from nightjar.stages.plan import (
    ADDED,
    CHANGED,
    DESCRIBE,
    REMADE,
    RETRIED,
    Changes,
    Recipes,
    Scope,
    assign_shards,
    compare,
    remake,
)

RECIPE = Recipe(parse={"parser": "1", "strategy": "a"}, chunk={"rules": "1", "max_tokens": "9"}, embed={"model": "m"})
OTHER_STRATEGY = replace(RECIPE, parse={"parser": "1", "strategy": "b"})
OTHER_PARSER = replace(RECIPE, parse={"parser": "0", "strategy": "a"})
OTHER_SIZE = replace(RECIPE, chunk={"rules": "1", "max_tokens": "8"})
OTHER_RULES = replace(RECIPE, chunk={"rules": "0", "max_tokens": "9"})
OTHER_MODEL = replace(RECIPE, embed={"model": "n"})
CHECK = "suites"


def listed(key: str, *, etag: str = "e", size: int = 10, modified: int = 1, sidecar: str | None = None) -> dict:
    return {
        "uri": f"s3://b/{key}",
        "key": key,
        "etag": etag,
        "size": size,
        "modified_us": modified,
        "sidecar_etag": sidecar,
        "sidecar_size": None if sidecar is None else 1,
        "sidecar_modified_us": None if sidecar is None else 1,
    }


def standing(key: str, *, recipe: Recipe = RECIPE, **changes: object) -> dict:
    row = {
        **listed(key),
        "document_id": document_id_of(f"s3://b/{key}"),
        "attempted_parse": recipe.upto("parse"),
        "content_key": "c",
        "parse_recipe": recipe.upto("parse"),
        "chunk_recipe": recipe.upto("chunk"),
        "embed_recipe": recipe.upto("embed"),
        "parse_settings": recipe.settings("parse"),
        "chunk_settings": recipe.settings("chunk"),
        "space": recipe.space,
    }
    return {**row, **changes}


def broken(key: str, code: Code = Code.CORRUPT, **changes: object) -> dict:
    nothing = {"content_key": None, "parse_recipe": None, "chunk_recipe": None, "embed_recipe": None}
    return standing(key, failure_code=str(code), **nothing, **changes)


def compared(listing: list[Mapping], base: list[Mapping], **scope: object) -> Changes:
    names = [n for n in MANIFEST.names if n in listed("x")]
    schema = pa.schema([MANIFEST.field(n) for n in names])
    return compare(
        rows_table(listing, schema), rows_table(base, MANIFEST), recipes=Recipes(RECIPE, CHECK), scope=Scope(**scope)
    )


def whys(changes: Changes) -> dict[str, tuple[str, str]]:
    return {r["key"]: (r["why"], r["stage"]) for r in changes.work.to_pylist()}


def test_an_unknown_key_is_added() -> None:
    assert whys(compared([listed("a")], [])) == {"a": (ADDED, "parse")}


def test_an_equal_fingerprint_is_unchanged() -> None:
    changes = compared([listed("a")], [standing("a")])
    assert changes.empty
    assert changes.unchanged == 1


@pytest.mark.parametrize(
    "difference", [{"etag": "f"}, {"size": 11}, {"modified": 2}, {"sidecar": "s"}], ids=lambda d: next(iter(d))
)
def test_any_difference_in_a_fingerprint_is_a_change(difference: dict) -> None:
    assert whys(compared([listed("a", **difference)], [standing("a")]))["a"][0] == CHANGED


def test_an_empty_etag_equals_nothing() -> None:
    assert whys(compared([listed("a", etag="")], [standing("a", etag="")])) == {"a": (CHANGED, "parse")}


def test_what_is_no_longer_listed_is_gone() -> None:
    changes = compared([], [standing("a")])
    assert changes.gone["key"].to_pylist() == ["a"]


def test_the_same_key_in_another_bucket_is_another_document() -> None:
    changes = compared([listed("a")], [standing("a", uri="s3://other/a")])
    assert whys(changes) == {"a": (ADDED, "parse")}
    assert changes.gone.num_rows == 1


@pytest.mark.parametrize(
    ("recipe", "stage"), [(OTHER_STRATEGY, "parse"), (OTHER_SIZE, "chunk"), (OTHER_MODEL, "embed")]
)
def test_another_setting_makes_again_from_the_first_stage_that_differs(recipe: Recipe, stage: str) -> None:
    assert whys(compared([listed("a")], [standing("a", recipe=recipe)])) == {"a": (REMADE, stage)}


@pytest.mark.parametrize(("recipe", "stage"), [(OTHER_PARSER, "parse"), (OTHER_RULES, "chunk")])
def test_another_library_leaves_documents_alone_and_counts_them_as_stale(recipe: Recipe, stage: str) -> None:
    changes = compared([listed("a")], [standing("a", recipe=recipe)])
    assert (changes.empty, changes.unchanged) == (True, 1)
    assert changes.stale["stage"].to_pylist() == [stage]


@pytest.mark.parametrize(("recipe", "stage"), [(OTHER_PARSER, "parse"), (OTHER_RULES, "chunk")])
def test_stale_documents_are_made_again_where_that_is_allowed(recipe: Recipe, stage: str) -> None:
    changes = compared([listed("a"), listed("b")], [standing("a", recipe=recipe), standing("b")]).with_stale()
    assert whys(changes) == {"a": (REMADE, stage)}
    assert (changes.unchanged, changes.stale.num_rows) == (1, 0)


def test_a_manifest_that_does_not_know_settings_takes_a_library_for_one() -> None:
    row = standing("a", recipe=OTHER_PARSER, parse_settings=None)
    assert whys(compared([listed("a")], [row])) == {"a": (REMADE, "parse")}


def test_a_manifest_that_does_not_know_settings_is_left_alone_by_an_equal_recipe() -> None:
    assert compared([listed("a")], [standing("a", parse_settings=None, chunk_settings=None)]).empty


def test_an_older_parsers_document_is_not_chunked_again_by_an_equal_chunker() -> None:
    row = standing("a", recipe=OTHER_PARSER)
    assert compared([listed("a")], [row]).stale["stage"].to_pylist() == ["parse"]


def test_another_chunk_size_keeps_what_an_older_parser_read() -> None:
    row = standing("a", recipe=replace(OTHER_PARSER, chunk=OTHER_SIZE.chunk))
    assert whys(compared([listed("a")], [row])) == {"a": (REMADE, "chunk")}


def test_a_changed_document_takes_the_new_library() -> None:
    changes = compared([listed("a", etag="f")], [standing("a", recipe=OTHER_PARSER)])
    assert (whys(changes), changes.stale.num_rows) == ({"a": (CHANGED, "parse")}, 0)


def test_a_sidecar_alone_is_described_and_not_read_again() -> None:
    assert whys(compared([listed("a", sidecar="s")], [standing("a")])) == {"a": (CHANGED, DESCRIBE)}


@pytest.mark.parametrize(
    ("tonight", "before"),
    [
        (listed("a", sidecar="s", etag="f"), standing("a")),
        (listed("a", sidecar="s", etag=""), standing("a", etag="")),
        (listed("a", sidecar="s"), standing("a", recipe=OTHER_MODEL)),
        (listed("a", sidecar="s"), standing("a", failure_code="corrupt")),
    ],
    ids=["other bytes", "no etag", "another model", "in quarantine"],
)
def test_a_sidecar_beside_another_change_reads_the_document(tonight: dict, before: dict) -> None:
    assert whys(compared([tonight], [before])) == {"a": (CHANGED, "parse")}


def test_an_unchanged_bad_document_is_left_alone() -> None:
    assert compared([listed("a")], [broken("a")]).empty


@pytest.mark.parametrize("code", [Code.UNREADABLE, Code.CHANGED_WHILE_READ])
def test_a_failure_of_the_moment_is_tried_again(code: Code) -> None:
    assert whys(compared([listed("a")], [broken("a", code)])) == {"a": (RETRIED, "parse")}


def test_a_bad_document_is_tried_again_by_another_parser() -> None:
    assert whys(compared([listed("a")], [broken("a", attempted_parse="old")])) == {"a": (RETRIED, "parse")}


@pytest.mark.parametrize(("check", "again"), [(CHECK, False), ("older", True), (None, True)])
def test_a_document_that_a_rule_refused_is_tried_again_by_other_rules(check: str | None, *, again: bool) -> None:
    row = broken("a", Code.MOJIBAKE, failure_stage="check", attempted_check=check)
    assert (whys(compared([listed("a")], [row])) == {"a": (RETRIED, "parse")}) is again


def failing(recipe: Recipe, stage: str) -> dict:
    """Serves what `recipe` made of earlier bytes; its present ones were tried tonight's way."""
    tried = {"attempted_parse": RECIPE.upto("parse"), "attempted_check": CHECK}
    return standing("a", recipe=recipe, failure_code="corrupt", failure_stage=stage, **tried)


@pytest.mark.parametrize(
    ("recipe", "stage", "made"),
    [
        (OTHER_STRATEGY, "parse", None),
        (OTHER_SIZE, "check", None),
        (OTHER_SIZE, "parse", "chunk"),
        (OTHER_MODEL, "check", "embed"),
    ],
)
def test_what_a_failed_document_serves_is_made_again_only_by_what_it_did_not_fail_in(
    recipe: Recipe, stage: str, made: str | None
) -> None:
    expected = {} if made is None else {"a": (REMADE, made)}
    assert whys(compared([listed("a")], [failing(recipe, stage)])) == expected


def test_a_bad_document_is_tried_again_when_asked() -> None:
    assert whys(compared([listed("a")], [broken("a")], failed=True)) == {"a": (RETRIED, "parse")}


def test_a_full_refresh_makes_everything_again() -> None:
    assert whys(compared([listed("a")], [standing("a")], full_refresh=True)) == {"a": (REMADE, "parse")}


def test_recompute_starts_at_the_stage_named() -> None:
    assert whys(compared([listed("a")], [standing("a")], recompute="embed")) == {"a": (REMADE, "embed")}


def test_remade_rows_fit_beside_planned_work() -> None:
    planned = compared([listed("a", size=9), listed("b")], [standing("a"), standing("b")])
    again = remake(rows_table([standing("b")], MANIFEST), uris=pa.array(["s3://b/b"]), start="parse")
    joined = planned.with_again(again)
    assert joined.work["key"].to_pylist() == ["a", "b"]
    assert joined.unchanged == 0


def test_shards_are_contiguous_and_balanced() -> None:
    work = compared([listed(f"k{n:03}", size=100) for n in range(100)], []).work
    sharded = assign_shards(work, bytes_each=2_500, documents_each=1_000, most=50)
    counts = sharded.group_by("shard").aggregate([("key", "count")]).sort_by("shard")["key_count"].to_pylist()
    assert sharded["shard"].to_pylist() == sorted(sharded["shard"].to_pylist())
    assert len(counts) == 5
    assert max(counts) - min(counts) <= 1


def test_there_are_never_more_shards_than_allowed() -> None:
    work = compared([listed(f"k{n:03}", size=10**9) for n in range(100)], []).work
    assert max(assign_shards(work, bytes_each=10, documents_each=1, most=7)["shard"].to_pylist()) == 6
