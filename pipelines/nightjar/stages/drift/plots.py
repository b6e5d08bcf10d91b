"""Where the passages of both versions lie, as a plot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import leather

from nightjar.stages.drift.explain import Dots, Projection
from nightjar.stages.page import Html
from nightjar.stages.plots import inline

_SIZE: Final = (760, 420)


def scatter(dots: Projection) -> Html:
    """Live, tonight's and novel passages on the two widest axes of all vectors."""
    chart = leather.Chart()
    for name, colour, radius, kind in (
        ("live version", "var(--before)", 2.5, dots.live),
        ("candidate", "var(--after)", 2, dots.night),
        ("candidate, like nothing live", "var(--new)", 3.5, dots.novel),
    ):
        if len(kind):
            chart.add_dots(_pairs(kind), name=name, fill_color=colour, radius=radius)
    chart.add_x_axis(tick_formatter=_no_label)
    chart.add_y_axis(tick_formatter=_no_label)
    said = "Passages of both versions on the two widest axes of their vectors"
    return inline(chart, _SIZE, said)


def _no_label(value: object, place: int, ticks: object) -> str:
    """The axes of a projection have no unit."""
    del value, place, ticks
    return ""


def _pairs(dots: Dots) -> Iterable[tuple[float, float]]:
    return [(round(float(x), 3), round(float(y), 3)) for x, y in dots]
