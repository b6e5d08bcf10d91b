from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from dags_of import corpus_of

from nightjar.errors import HeldBack, Misconfigured, Transient
from nightjar_dags.foreseen import told_plainly, work_of


def test_what_the_work_returns_is_returned() -> None:
    assert told_plainly(lambda: 7) == 7


@pytest.mark.parametrize("kind", [HeldBack, Misconfigured, Transient])
def test_a_foreseen_failure_is_its_sentence_without_stack_and_cause(kind: type[Exception]) -> None:
    def work() -> None:
        raise kind("bucket x is missing: create it") from OSError("the vendor's own words")

    with pytest.raises(kind, match="create it") as told:
        told_plainly(work)
    shown = "".join(traceback.format_exception(told.value))
    assert "in work" not in shown
    assert "vendor" not in shown


def test_an_unforeseen_failure_keeps_its_stack() -> None:
    def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as told:
        told_plainly(work)
    assert "in work" in "".join(traceback.format_exception(told.value))


def test_work_is_the_function_of_that_name_given_the_corpus_first(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path)
    assert work_of("nightjar_dags.assets", "live_uri", corpus)() == "nightjar://handbook/live"
