"""Is tonight's content of the kind that it was? Samples of the live version and the candidate, compared; all pure."""

from nightjar.stages.drift.aside import newly_set_aside, set_aside
from nightjar.stages.drift.canary import DETECTORS as CANARY_DETECTORS
from nightjar.stages.drift.canary import canary, canary_texts
from nightjar.stages.drift.findings import FAIL, NONE, STATES, WARN, Finding
from nightjar.stages.drift.judge import Judgement, Planned, compare, is_learnable, judged
from nightjar.stages.drift.sides import Side, Turnover

__all__ = [
    "CANARY_DETECTORS",
    "FAIL",
    "NONE",
    "STATES",
    "WARN",
    "Finding",
    "Judgement",
    "Planned",
    "Side",
    "Turnover",
    "canary",
    "canary_texts",
    "compare",
    "is_learnable",
    "judged",
    "newly_set_aside",
    "set_aside",
]
