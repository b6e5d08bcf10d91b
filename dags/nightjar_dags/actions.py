"""What `operate_<corpus>` can be asked for, and which fields of its form belong to what.

An action is one row here and one function of the same name in `operations.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from nightjar.errors import Misconfigured


class Need(Enum):
    """Whether an action wants a field of the form."""

    MUST = "must"
    MAY = "may"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Action:
    """One row of the form's list."""

    label: str
    version: Need = Need.NEVER
    documents: Need = Need.NEVER
    night: Need = Need.NEVER


@dataclass(frozen=True, slots=True)
class Order:
    """A form that makes sense: only fields that the action takes are filled in."""

    action: str
    version: int | None
    documents: tuple[str, ...]
    night: str | None
    reason: str


ACTIONS: Final[Mapping[str, Action]] = {
    "rollback": Action("Go back to an earlier version, and hold", version=Need.MAY),
    "hold": Action("Hold: promote nothing"),
    "unhold": Action("Let runs promote again"),
    "promote": Action("Promote a version that waits or was rejected", version=Need.MUST),
    "reject": Action("Reject a version that waits", version=Need.MUST),
    "replay": Action("Try quarantined documents again", documents=Need.MAY),
    "forget": Action("Erase documents everywhere", documents=Need.MUST),
}
ASK: Final = "ask"
CHOICES: Final[Mapping[str, Action]] = {**ACTIONS, ASK: Action("Ask a person about what waits", night=Need.MAY)}
_HINTS: Final = {
    "version": "enter its number, `nightjar versions` lists them",
    "documents": "enter their ids or source uris, one a line",
}


def order_of(params: Mapping[str, Any]) -> Order:
    """What the trigger form asks for.

    Raises:
        Misconfigured: a field that the action needs is empty, or one is filled in that it would ignore.
    """
    action = params["action"]
    order = Order(
        action=action,
        version=params["version"],
        documents=tuple(dict.fromkeys(line.strip() for line in params["documents"] or () if line.strip())),
        night=params["night"] or None,
        reason=(params["reason"] or "").strip(),
    )
    for field in ("version", "documents", "night"):
        _require_fitting(action, field, needed=getattr(CHOICES[action], field), given=bool(getattr(order, field)))
    return order


def _require_fitting(action: str, field: str, *, needed: Need, given: bool) -> None:
    if needed is Need.MUST and not given:
        raise Misconfigured(f"{action} needs {field}: {_HINTS[field]}, and trigger again")
    if needed is Need.NEVER and given:
        raise Misconfigured(f"{action} takes no {field}: empty that field, or choose another action")
