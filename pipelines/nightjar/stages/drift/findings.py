"""What a detector says, and what all of them together mean for a version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

NONE: Final = "none"
WARN: Final = "warn"
FAIL: Final = "fail"
STATES: Final = (NONE, WARN, FAIL)

FEWEST_DOCUMENTS: Final = 30
"""Below so many documents in the live sample nothing learnt may stop a version: it warns."""
_TOLD: Final = 3
TOO_FEW: Final = 10
"""Below so many nothing is learnt at all: any two documents differ from any other two."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One detector's figure.

    `value` moved when it is above `threshold`; `worst` is what that means (warn or fail). `before` and `after` are the
    figure of either side where it has one; `says` is half a sentence for people, `unit` is share or number. `carriers`
    are ids of the candidate's documents that show what is counted; none where no single one does.
    """

    detector: str
    value: float
    threshold: float
    worst: str
    says: str
    before: float | None = None
    after: float | None = None
    unit: str = "share"
    carriers: frozenset[str] = frozenset()

    @property
    def state(self) -> str:
        """none, warn or fail."""
        return self.worst if self.value > self.threshold else NONE

    def at_most(self, state: str) -> Finding:
        """The same figure where a reason is known to take it less seriously."""
        return replace(self, worst=min(self.worst, state, key=STATES.index))


def worst(findings: Iterable[Finding]) -> str:
    """The gravest state of all."""
    return max((finding.state for finding in findings), key=STATES.index, default=NONE)


def sentence(findings: Sequence[Finding]) -> str:
    """What moved, gravest and farthest beyond its threshold first; '' when nothing did."""
    moved = [finding for finding in findings if finding.state != NONE]
    moved.sort(key=lambda each: (-STATES.index(each.state), -each.value / max(each.threshold, 1e-9)))
    told = "; ".join(finding.says for finding in moved[:_TOLD])
    return f"{told}; and {len(moved) - _TOLD} more" if len(moved) > _TOLD else told


def shown(value: float, unit: str = "share") -> str:
    """A figure as people read it."""
    if unit == "share":
        return f"{value:.0%}" if f"{value:.0%}" == f"{value:.1%}".replace(".0", "") else f"{value:.1%}"
    return f"{value:.4g}"
