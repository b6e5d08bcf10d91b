"""What opening a corpus's doors costs: a task pays for the libraries that it uses."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("weaviate", "great_expectations", "openvino", "sentence_transformers", "torch", "unstructured")


def test_quality_rules_are_opened_without_libraries_that_few_of_them_need() -> None:
    code = (
        "import sys; from nightjar.adapters.gx_inspector import GxInspector; GxInspector().load();"
        "print(*[name for name in ('altair', 'scipy.stats') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.split() == []


def test_doors_are_wired_without_any_heavy_library() -> None:
    code = f"import sys, nightjar.wiring; print(*[name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.split() == []
