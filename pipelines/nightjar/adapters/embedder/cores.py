"""How many cores this process may keep busy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(*, quota: Path = _QUOTA) -> int:
    """Cores of this process's affinity, or fewer where its container's quota buys less time than that.

    The runtimes ask the machine, and would start 64 threads in a pod that may use two.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        granted, period = quota.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return allowed
    return allowed if granted == "max" else max(1, min(allowed, round(int(granted) / int(period))))
