"""Modules that are imported when they are first asked for something, or not at all."""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydantic
import pytest
from pydantic import BaseModel, ValidationError, create_model

from nightjar.imports import barred, models_built_late, postponed, postponed_classes


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


@pytest.fixture
def costly(dear: str, tmp_path: Path) -> str:
    (tmp_path / f"{dear}.py").write_text("class Login:\n    def __init__(self, name):\n        self.name = name\n")
    return dear


def test_a_postponed_class_makes_one_of_the_real_when_it_is_called(costly: str) -> None:
    with postponed_classes(costly, "Login"):
        stand_in = importlib.import_module(costly).Login
    assert costly not in sys.modules
    made = stand_in(name="mia")
    assert made.name == "mia"
    assert type(made) is importlib.import_module(costly).Login


def test_instances_of_the_real_class_are_the_stand_ins_too(costly: str) -> None:
    with postponed_classes(costly, "Login"):
        stand_in = importlib.import_module(costly).Login
    assert not isinstance("mia", stand_in)
    assert costly not in sys.modules  # nobody imported it, so that nothing can be one
    assert isinstance(importlib.import_module(costly).Login("mia"), stand_in)
    assert not isinstance("mia", stand_in)


def test_classes_of_a_module_that_is_imported_already_are_its_own() -> None:
    before = sys.modules["json"]
    with postponed_classes("json", "JSONDecoder"):
        assert importlib.import_module("json") is before


def test_a_barred_module_is_not_there_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_needless_module.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    with barred("a_needless_module"), pytest.raises(ImportError):
        importlib.import_module("a_needless_module")
    assert importlib.import_module("a_needless_module").answer == 42
    monkeypatch.delitem(sys.modules, "a_needless_module")


def test_a_barred_module_that_is_imported_already_stays() -> None:
    before = sys.modules["json"]
    with barred("json"):
        assert importlib.import_module("json") is before
    assert sys.modules["json"] is before


def test_models_of_the_block_are_built_when_they_are_used_and_others_as_ever() -> None:
    with models_built_late():
        late = create_model("Late", chunks=(int, ...))
    after = create_model("After", chunks=(int, ...))
    assert not late.__pydantic_complete__
    assert after.__pydantic_complete__
    with ThreadPoolExecutor(8) as threads:
        assert {each.model_dump()["chunks"] for each in threads.map(lambda n: late(chunks=n), ["3"] * 64)} == {3}
    with pytest.raises(ValidationError):
        late(chunks="many")
    assert BaseModel.model_config.get("defer_build", False) is False


def test_models_are_built_at_once_by_a_release_that_cannot_build_one_in_two_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pydantic, "VERSION", "2.13.4")
    with models_built_late():
        early = create_model("Early", chunks=(int, ...))
    assert early.__pydantic_complete__
