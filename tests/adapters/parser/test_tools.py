"""What `doctor` says of the parser's programs and packages is what the parser will find."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nightjar.adapters.parser.tools import parser_tools


def test_libmagic_is_missing_where_the_package_does_not_find_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "magic.py").write_text('raise ImportError("failed to find libmagic")\n')
    monkeypatch.delitem(sys.modules, "magic", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert [tool.remedy for tool in parser_tools() if not tool.present and tool.name == "libmagic"] == [
        "apt install libmagic1"
    ]
