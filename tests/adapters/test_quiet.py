from __future__ import annotations

import os
import sys

import pytest

from nightjar.adapters.quiet import silence_telemetry


def test_every_vendor_is_told_not_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    silence_telemetry()
    assert os.environ["DO_NOT_TRACK"] == "1"


def test_what_the_environment_says_already_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    silence_telemetry()
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"


def test_openvino_cannot_report() -> None:
    silence_telemetry()
    assert sys.modules["openvino_telemetry"] is None
