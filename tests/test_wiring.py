"""What opening a corpus's doors costs: a task pays for the libraries that it uses."""

from __future__ import annotations

import os
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


def test_arrow_brings_pandas_only_where_a_data_frame_is_asked_for() -> None:
    code = (
        "import sys, pyarrow, nightjar.flows.night; table = pyarrow.table({'a': ['x', None]});"
        "before = 'pandas' in sys.modules; frame = table.to_pandas();"
        "print(before, frame.to_dict('list'), pyarrow.array(frame['a']).to_pylist())"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.strip() == "False {'a': ['x', None]} ['x', None]"


def test_arrow_gives_back_what_it_used() -> None:
    code = "import nightjar.artifacts, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert told.stdout.strip() == "system"
