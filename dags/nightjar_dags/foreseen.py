"""Failures that were foreseen, told in the one sentence that they are.

Airflow prints an exception above its stack, which is longer than a screen: the sentence would stand out of sight.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

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
