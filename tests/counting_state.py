"""A state store that counts what is asked of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from nightjar.adapters.memory.state import MemoryState


class CountingState:
    """Hands everything on to the store behind it, and counts it by operation and key."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.asked: Counter[tuple[str, str]] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._state, name)

        def counted(key: str, *rest: Any, **named: Any) -> Any:
            self.asked[name, key] += 1
            return found(key, *rest, **named)

        return counted if name in {"read", "exists", "keys", "create", "replace"} else found
