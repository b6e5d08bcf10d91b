"""A module that libraries do without."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from nightjar.barred import barred


def test_a_barred_module_is_not_there_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_needless_module.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    with barred("a_needless_module"), pytest.raises(ImportError):
        importlib.import_module("a_needless_module")
    assert importlib.import_module("a_needless_module").answer == 42
    monkeypatch.delitem(sys.modules, "a_needless_module")


def test_a_module_that_is_imported_already_stays() -> None:
    before = sys.modules["json"]
    with barred("json"):
        assert importlib.import_module("json") is before
    assert sys.modules["json"] is before
