"""What stands in CONTRIBUTING and in people's fingers: targets of make, pinned requirements."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,-]+\])?==[^ ]+( ; .+)?")


@pytest.mark.parametrize("target", ["demo", "test", "check", "services", "airflow", "stop", "clean", "lock", "bench"])
def test_a_promised_target_exists_and_is_explained(target: str) -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^ +make {target} +\S", listed, re.MULTILINE)


@pytest.mark.parametrize("name", ["airflow", "worker", "cli", "dev"])
def test_requirements_are_pinned_and_record_no_address(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    assert [line for line in lines if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("name", ["worker", "cli"])
def test_every_list_takes_the_versions_of_the_tested_one(name: str) -> None:
    tested = set((ROOT / "requirements" / "dev.txt").read_text().splitlines())
    assert set((ROOT / "requirements" / f"{name}.txt").read_text().splitlines()) <= tested


@pytest.mark.parametrize("package", ["torch", "unstructured", "sentence-transformers", "great-expectations"])
def test_the_scheduler_installs_nothing_heavy(package: str) -> None:
    listed = (ROOT / "requirements" / "airflow.txt").read_text()
    assert not re.search(rf"^{package}==", listed, re.MULTILINE)


def test_make_bench_runs_every_benchmark_that_the_documents_name_but_those_that_need_airflow_or_a_browser() -> None:
    folder = ROOT / "benchmarks"
    told = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    named = {name for name in re.findall(r"\w+\.py", told) if (folder / name).exists()}
    programs = runpy.run_path(str(folder / "__main__.py"), run_name="benchmarks")["PROGRAMS"]
    assert {program for program, *_ in programs} == named - {"airflow_kinds.py", "report_pictures.py"}
