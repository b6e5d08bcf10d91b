"""Plots as inline SVG by leather: nothing but shapes and text, in the colours of the page around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import leather
from leather import theme

from nightjar.stages.drift.explain import Dots, Projection
from nightjar.stages.page import Html, text

_WIDTH: Final = 760
_HEIGHT: Final = 420
_SPARK: Final = (240, 84)
_OPENING: Final = re.compile(r"^<svg [^>]*>")

theme.background_color = "none"
theme.title_color = theme.legend_color = theme.axis_title_color = theme.label_color = "currentColor"
theme.tick_color = theme.zero_color = "var(--line)"
for _name in ("title", "legend", "axis_title", "tick"):
    setattr(theme, f"{_name}_font_family", "inherit")


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
    return _inline(chart.to_svg(width=_WIDTH, height=_HEIGHT), (_WIDTH, _HEIGHT), said)


def sparkline(values: Sequence[tuple[int, float]], limits: Sequence[tuple[int, float]], *, said: str) -> Html:
    """A figure by version number, and its threshold; empty for fewer than two versions."""
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return Html("")
    chart = leather.Chart()
    chart.add_series(leather.Series(list(limits)), _Unnamed("var(--warn)", 1))
    chart.add_series(leather.Series(list(values)), _Unnamed("var(--after)", 2))
    chart.add_x_axis(ticks=[values[0][0], values[-1][0]], tick_formatter=_whole)
    highest = max(value for _, value in (*values, *limits)) or 1.0
    chart.add_y_scale(min(0.0, *(value for _, value in values)), highest)
    chart.add_y_axis(ticks=[0.0, highest], tick_formatter=_short)
    return _inline(chart.to_svg(width=_SPARK[0], height=_SPARK[1]), _SPARK, said)


class _Unnamed(leather.Line):  # type: ignore[misc]  # the library has no types
    """A line that no legend explains: the column it stands in does."""

    def legend_to_svg(self, series: object, palette: object) -> list[object]:
        del series, palette
        return []


def _whole(value: object, place: int, ticks: object) -> str:
    del place, ticks
    return f"{value:.0f}" if isinstance(value, int | float) else str(value)


def _short(value: object, place: int, ticks: object) -> str:
    del place, ticks
    return f"{float(str(value)):.2g}"


def _no_label(value: object, place: int, ticks: object) -> str:
    """The axes of a projection have no unit."""
    del value, place, ticks
    return ""


def _pairs(dots: Dots) -> Iterable[tuple[float, float]]:
    return [(round(float(x), 3), round(float(y), 3)) for x, y in dots]


def _inline(svg: str, size: tuple[int, int], said: str) -> Html:
    """With a box to scale in, and words for those who do not see it."""
    box = f'viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}"'
    opening = f'<svg {box} role="img" aria-label="{text(said)}">'
    return Html(_OPENING.sub(opening, svg, count=1))
