from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.patterns import glob_expression, path_expression
from nightjar.stages.select import selected


@pytest.mark.parametrize(
    ("pattern", "key", "fits"),
    [
        ("**", "", True),
        ("**", "a/b\nc", True),
        ("a/**", "a/b/c", True),
        ("a/**", "ab", False),
        ("**/a", "a", True),
        ("**/a", "x/y/a", True),
        ("**/a", "xa", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("*", "a/b", False),
        ("*.pdf", ".pdf", True),
        ("?.pdf", "ü.pdf", True),
        ("?.pdf", "/.pdf", False),
        ("[ab].txt", "a.txt", False),
        ("[ab].txt", "[ab].txt", True),
        ("a.b", "axb", False),
        ("(a|b)+$", "(a|b)+$", True),
    ],
)
def test_globs(pattern: str, key: str, fits: bool) -> None:  # noqa: FBT001 - a column of the table
    assert bool(re.fullmatch(glob_expression(pattern), key, re.DOTALL)) == fits


characters = st.characters(codec="utf-8", exclude_characters="\0")


@settings(deadline=None, database=None)
@given(
    st.text(st.one_of(st.sampled_from("*?/ab.\n"), characters), max_size=12),
    st.text(st.sampled_from("/ab.\n"), max_size=8),
)
def test_python_and_arrow_agree(pattern: str, key: str) -> None:
    fits = re.fullmatch(glob_expression(pattern), key, re.DOTALL) is not None
    assert selected(pa.array([key]), include=[pattern], exclude=[]).to_pylist() == [fits]


@settings(deadline=None, database=None)
@given(st.text(characters.filter(lambda c: c not in "*?"), min_size=1, max_size=12))
def test_a_pattern_without_wildcards_fits_itself(key: str) -> None:
    assert selected(pa.array([key, key + "x"]), include=[key], exclude=[]).to_pylist() == [True, False]


@pytest.mark.parametrize(
    ("pattern", "key", "names"),
    [
        ("{year}/{team}/**", "2024/hr/a.txt", {"year": "2024", "team": "hr"}),
        ("{year}/{team}/**", "2024/a.txt", None),
        ("**/{team}-*.pdf", "x/y/hr-report.pdf", {"team": "hr"}),
        ("{name}", "a/b", None),
        ("no names/**", "no names/a", {}),
    ],
)
def test_names_capture_parts_of_one_folder_or_file_name(pattern: str, key: str, names: dict[str, str] | None) -> None:
    found = path_expression(pattern).fullmatch(key)
    assert (found.groupdict() if found else None) == names
