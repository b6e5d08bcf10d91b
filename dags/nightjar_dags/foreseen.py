"""Failures that were foreseen, told in the one sentence that they are.

Airflow prints an exception above its stack, which is longer than a screen: the sentence would stand out of sight.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from nightjar.corpus import Corpus
from nightjar.errors import NightjarError

log = logging.getLogger(__name__)
T = TypeVar("T")


def told_plainly(work: Callable[[], T]) -> T:
    """What `work` returns; its foreseen failure without the way through the code and without the vendor's cause.

    At log level DEBUG the whole stack is written first.
    """
    try:
        return work()
    except NightjarError as foreseen:
        log.debug("where it happened", exc_info=True)
        raise foreseen.with_traceback(None) from None


def work_of(module: str, name: str, corpus: Corpus) -> Callable[..., Any]:
    """The function `name` of `module` as a task's work; what it is called with follows the corpus.

    DAG files are parsed far more often than tasks are run: what a task needs is loaded when it runs.
    """

    def work(*references: Any) -> Any:
        return told_plainly(lambda: getattr(import_module(module), name)(corpus, *references))

    return work
