"""Plain JSON records behind compare-and-set."""

from __future__ import annotations

from typing import Any, TypeAlias

from nightjar.ports import StateStore
from nightjar.registers import Entry, Fields, Register

Record: TypeAlias = dict[str, Any]
RecordEntry: TypeAlias = Entry[Record]


def record(state: StateStore, key: str) -> Register[Record]:
    """The record at `key`, as a dictionary without the register's own fields."""
    return Register(state, key, encode=dict, decode=_decoded)


def _decoded(fields: Fields) -> Record:
    return {name: value for name, value in fields.items() if name not in {"sequence", "nonce"}}
