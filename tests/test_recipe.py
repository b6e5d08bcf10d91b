"""A recipe's digests change exactly when results would."""

from dataclasses import replace

import pytest

from nightjar.recipe import STAGES, Recipe

RECIPE = Recipe(parse={"parser": "1"}, chunk={"max_tokens": "200"}, embed={"model": "m"})


@pytest.mark.parametrize(
    ("part", "changed"), [("parse", ["parse", "chunk", "embed"]), ("chunk", ["chunk", "embed"]), ("embed", ["embed"])]
)
def test_a_part_changes_its_own_digest_and_those_after_it(part: str, changed: list[str]) -> None:
    other = replace(RECIPE, **{part: {"x": "2"}})
    assert [s for s in STAGES if other.upto(s) != RECIPE.upto(s)] == changed


def test_a_chain_goes_on_from_another_parsers_digest() -> None:
    older = replace(RECIPE, parse={"parser": "0"})
    assert RECIPE.upto("embed", parse=older.upto("parse")) == older.upto("embed")


@pytest.mark.parametrize(("part", "same"), [({"rules": "2"}, True), ({"max_tokens": "100"}, False)])
def test_settings_are_what_the_corpus_file_says(part: dict[str, str], *, same: bool) -> None:
    other = replace(RECIPE, chunk={**RECIPE.chunk, **part})
    assert (other.settings("chunk") == RECIPE.settings("chunk")) is same


def test_the_space_is_the_embedding_alone() -> None:
    assert replace(RECIPE, chunk={"max_tokens": "100"}).space == RECIPE.space
    assert replace(RECIPE, embed={"model": "n"}).space != RECIPE.space


def test_order_of_settings_does_not_matter() -> None:
    assert Recipe(parse={"a": "1", "b": "2"}, chunk={}, embed={}).upto("parse") == Recipe(
        parse={"b": "2", "a": "1"}, chunk={}, embed={}
    ).upto("parse")


def test_a_recipe_survives_as_json() -> None:
    assert Recipe.from_json(RECIPE.as_json()) == RECIPE


def test_a_difference_names_setting_and_both_values() -> None:
    assert RECIPE.difference(replace(RECIPE, embed={"model": "n"})) == ["embed.model: m → n"]
