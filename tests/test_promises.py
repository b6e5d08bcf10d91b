"""A benchmark whose promise does not hold says which, and exits 1."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

# ranx is compiled here where no other test did so before.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:invalid escape sequence")]

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def drift(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("drift")


@pytest.fixture
def promises(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("promises")


def row(change: str, **states: int) -> dict[str, Any]:
    return {"set": "nq", "change": change, "states": states}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([row("quiet", none=48, warn=2)], ""),
        ([row("quiet", none=47, warn=3)], "quiet judged none: 47 of 50, promised are 96%"),
        ([row("mojibake 10 %", fail=25), row("mojibake 10 %", fail=24, warn=1)], "49 of 50, promised are 100%"),
        ([row("new topic 5 %", warn=20, fail=3, none=2)], ""),
        ([], ""),
    ],
    ids=["kept", "broken", "broken in one set", "worse counts as caught", "not tried"],
)
def test_of_a_change_so_many_must_be_judged_so(drift: ModuleType, rows: list[dict[str, Any]], sentence: str) -> None:
    told = [each for change in drift.MUST if (each := drift.unkept(change, rows))]
    assert len(told) == bool(sentence)
    assert sentence in "".join(told)


def test_the_results_that_are_kept_hold_what_is_promised(drift: ModuleType) -> None:
    rows = json.loads((BENCHMARKS / "results/drift.json").read_text())["rows"]
    assert {each["change"] for each in rows} == drift.MUST.keys()
    assert not any(drift.unkept(change, rows) for change in drift.MUST)


def test_what_does_not_hold_is_printed_and_is_exit_code_1(
    promises: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promises.told(["", promises.at_most("drift, peak MB", 1200, most=1000)]) == 1
    assert capsys.readouterr().err == "not kept: drift, peak MB: 1200, promised are at most 1000\n"
    assert promises.told(["", promises.at_most("drift, peak MB", 900, most=1000)]) == 0
