"""Hostile text in a report, opened in a real browser: nothing runs, nothing is asked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from stages.drift.test_page import HOSTILE, new_topic, reported

from nightjar.stages.page import Html, page, tag

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]


def opened(folder: Path, markup: str) -> str:
    """The page as it stands after a browser has worked on it."""
    file = folder / "page.html"
    file.write_text(markup, "utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=2000", "--dump-dom", file.as_uri()],
        capture_output=True,
        check=True,
        timeout=90,
    )
    return done.stdout.decode()


def test_hostile_words_of_documents_run_nothing(tmp_path: Path) -> None:
    night = new_topic(title=HOSTILE, source_uri=f"s3://documents/{HOSTILE}", text=f"{HOSTILE} {HOSTILE}")
    seen = opened(tmp_path, reported(night, hostile=HOSTILE).page)
    assert "<title>pwned" not in seen
    assert "Drift of handbook" in seen
    assert "<script" not in seen


def test_even_a_forgotten_escape_runs_nothing(tmp_path: Path) -> None:
    seen = opened(tmp_path, page("a page", Html("<script>document.title='pwned'</script>"), tag("p", "text")))
    assert "<title>a page</title>" in seen
