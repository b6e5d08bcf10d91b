"""The wheel that other environments install: three packages, the command, the plugin, the suites, the licence."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "build", "--wheel", "--no-build-isolation", "--out-dir", str(folder), str(ROOT)]
    subprocess.run(command, capture_output=True, check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


@pytest.mark.parametrize(
    "name",
    [
        "nightjar/model.py",
        "nightjar_dags/__init__.py",
        "nightjar_console/__init__.py",
        "nightjar/expectations/documents.json",
    ],
)
def test_the_wheel_carries(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_nothing_else_lands_at_the_top_of_site_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"nightjar", "nightjar_dags", "nightjar_console"}


def test_the_command_and_the_plugin_are_registered(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    registered = wheel.read(name).decode()
    assert "nightjar = nightjar.cli.main:main" in registered
    assert "[airflow.plugins]\nnightjar = nightjar_console" in registered


def test_the_licence_travels_along(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("/licenses/LICENSE")]
    assert b"Apache License" in wheel.read(name)
