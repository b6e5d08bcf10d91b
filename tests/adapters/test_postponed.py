"""A module that is imported when it is first asked for something."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from nightjar.adapters.postponed import postponed


@pytest.fixture
def dear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "a_dear_module.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "a_dear_module", None)
    monkeypatch.delitem(sys.modules, "a_dear_module")  # and again when the test is over
    return "a_dear_module"


def test_a_postponed_module_is_read_when_it_is_asked(dear: str) -> None:
    with postponed(dear):
        module = __import__(dear)
    assert dear not in sys.modules
    assert module.answer == 42
    assert dear in sys.modules


def test_a_postponed_module_can_be_asked_at_once(dear: str) -> None:
    with postponed(dear):
        assert __import__(dear).answer == 42
        assert __import__(dear).__file__


def test_a_module_below_a_postponed_one_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_dear_package").mkdir()
    (tmp_path / "a_dear_package" / "__init__.py").touch()
    (tmp_path / "a_dear_package" / "below.py").write_text("answer = 43\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("a_dear_package", "a_dear_package.below"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    with postponed("a_dear_package"):
        assert importlib.import_module("a_dear_package.below").answer == 43


def test_a_module_that_is_imported_already_stays() -> None:
    with postponed("json"):
        assert __import__("json").__file__
