"""What counts as added, changed, gone, retried or remade, as truth tables over small listings."""

from collections.abc import Mapping

import pyarrow as pa
import pytest

from nightjar.artifacts import MANIFEST, rows_table
from nightjar.errors import Code
from nightjar.model import document_id_of
from nightjar.recipe import Recipe
from nightjar.stages.plan import (
    ADDED,
    CHANGED,
    REMADE,
    RETRIED,
    Changes,
    GuardLimits,
    Scope,
    assign_shards,
    compare,
    guard_deletions,
    remake,
)

RECIPE = Recipe(parse={"parser": "1"}, chunk={"rules": "1"}, embed={"model": "m"})
LIMITS = GuardLimits(share=0.1, count=10, most=1000)


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
        "space": recipe.space,
    }
    return {**row, **changes}


def broken(key: str, code: Code = Code.CORRUPT, **changes: object) -> dict:
    nothing = {"content_key": None, "parse_recipe": None, "chunk_recipe": None, "embed_recipe": None}
    return standing(key, failure_code=str(code), **nothing, **changes)


def compared(listing: list[Mapping], base: list[Mapping], **scope: object) -> Changes:
    names = [n for n in MANIFEST.names if n in listed("x")]
    schema = pa.schema([MANIFEST.field(n) for n in names])
    return compare(rows_table(listing, schema), rows_table(base, MANIFEST), recipe=RECIPE, scope=Scope(**scope))


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
    assert whys(compared([listed("a", **difference)], [standing("a")])) == {"a": (CHANGED, "parse")}


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
    ("recipe", "stage"),
    [
        (Recipe(parse={"parser": "0"}, chunk=RECIPE.chunk, embed=RECIPE.embed), "parse"),
        (Recipe(parse=RECIPE.parse, chunk={"rules": "0"}, embed=RECIPE.embed), "chunk"),
        (Recipe(parse=RECIPE.parse, chunk=RECIPE.chunk, embed={"model": "n"}), "embed"),
    ],
)
def test_another_recipe_makes_again_from_the_first_stage_that_differs(recipe: Recipe, stage: str) -> None:
    assert whys(compared([listed("a")], [standing("a", recipe=recipe)])) == {"a": (REMADE, stage)}


def test_an_unchanged_bad_document_is_left_alone() -> None:
    assert compared([listed("a")], [broken("a")]).empty


@pytest.mark.parametrize("code", [Code.UNREADABLE, Code.CHANGED_WHILE_READ])
def test_a_failure_of_the_moment_is_tried_again(code: Code) -> None:
    assert whys(compared([listed("a")], [broken("a", code)])) == {"a": (RETRIED, "parse")}


def test_a_bad_document_is_tried_again_by_another_parser() -> None:
    assert whys(compared([listed("a")], [broken("a", attempted_parse="old")])) == {"a": (RETRIED, "parse")}


def test_a_bad_document_is_tried_again_when_asked() -> None:
    assert whys(compared([listed("a")], [broken("a")], failed=True)) == {"a": (RETRIED, "parse")}


def test_a_full_refresh_makes_everything_again() -> None:
    assert whys(compared([listed("a")], [standing("a")], full_refresh=True)) == {"a": (REMADE, "parse")}


def test_recompute_starts_at_the_stage_named() -> None:
    assert whys(compared([listed("a")], [standing("a")], recompute="embed")) == {"a": (REMADE, "embed")}


def test_a_moved_object_counts_as_a_rename() -> None:
    assert compared([listed("b")], [standing("a")]).renamed == 1


def test_an_empty_etag_is_no_sign_of_a_rename() -> None:
    assert compared([listed("b", etag="")], [standing("a", etag="")]).renamed == 0


def test_remade_rows_fit_beside_planned_work() -> None:
    planned = compared([listed("a", size=9), listed("b")], [standing("a"), standing("b")])
    again = remake(rows_table([standing("b")], MANIFEST), uris=pa.array(["s3://b/b"]))
    joined = pa.concat_tables([planned.work, again.select(planned.work.column_names).cast(planned.work.schema)])
    assert joined["key"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    ("gone", "stay", "listed_count", "withheld"),
    [(10, 10, 10, False), (11, 100, 100, False), (11, 9, 9, True), (1001, 99_000, 99_000, True), (1, 0, 0, True)],
)
def test_deletions_that_look_like_an_accident_are_withheld(
    gone: int, stay: int, listed_count: int, *, withheld: bool
) -> None:
    changes = compared([listed(f"s{n}") for n in range(stay)] if stay < 200 else [], [])
    rows = rows_table([standing(f"g{n}", size=n + 100) for n in range(gone)], MANIFEST)
    changes = Changes(work=changes.work.slice(0, 0), gone=rows, unchanged=stay)
    reason = guard_deletions(changes, standing=gone + stay, listed=listed_count, limits=LIMITS)
    assert (reason is not None) is withheld


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
