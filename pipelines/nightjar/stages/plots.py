"""One home for how plots look: inline SVG by leather, nothing but shapes and text, in the colours of the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import leather
from leather import theme
from leather.scales.base import Scale

from nightjar.stages.page import Html, text

_SPARK: Final = (240, 84)
_OPENING: Final = re.compile(r"^<svg [^>]*>")

theme.background_color = "none"
theme.title_color = theme.legend_color = theme.axis_title_color = theme.label_color = "currentColor"
theme.tick_color = theme.zero_color = "var(--line)"
for _name in ("title", "legend", "axis_title", "tick"):
    setattr(theme, f"{_name}_font_family", "inherit")


def sparkline(values: Sequence[tuple[int, float]], limits: Sequence[float], *, said: str) -> Html:
    """A figure by version number, oldest first, and its threshold where it has one; empty for fewer than two figures.

    They stand equally far apart: versions may be missing, and one may have been measured again and again.
    """
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return Html("")
    versions, figures = zip(*values, strict=True)
    chart = leather.Chart()
    for line, colour, width in ((limits, "var(--warn)", 1), (figures, "var(--after)", 2)):
        if line:
            chart.add_series(leather.Series(list(enumerate(line))), _Unnamed(colour, width))
    last = len(values) - 1
    chart.set_x_scale(_Span(0, last))
    chart.add_x_axis(ticks=[0, last], tick_formatter=lambda place, _number, _ticks: str(versions[int(place)]))
    lowest, highest = min(0.0, *figures), max(0.0, *figures, *limits)
    if lowest == highest:
        highest = 1.0
    chart.set_y_scale(_Span(lowest, highest))
    chart.add_y_axis(ticks=[lowest, highest], tick_formatter=_short)
    return inline(chart, _SPARK, said)


class _Span(Scale):  # type: ignore[misc]  # the library has no types
    """From one figure to another. The library's own scale looks for round ticks, 25 ms each; here they are given."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def contains(self, value: float) -> bool:
        return self._low <= value <= self._high

    def project(self, value: float, start: float, end: float) -> float:
        return start + (end - start) * (float(value) - self._low) / (self._high - self._low)

    def ticks(self) -> list[float]:
        return [self._low, self._high]


class _Unnamed(leather.Line):  # type: ignore[misc]  # the library has no types
    """A line that no legend explains: the column it stands in does."""

    def legend_to_svg(self, series: object, palette: object) -> list[object]:
        del series, palette
        return []


def _short(value: object, place: int, ticks: object) -> str:
    del place, ticks
    return f"{float(str(value)):.2g}"


def inline(chart: leather.Chart, size: tuple[int, int], said: str) -> Html:
    """A chart of `size` pixels, with a box to scale in, and words for those who do not see it."""
    width, height = size
    opening = (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{text(said)}">'
    )
    return Html(_OPENING.sub(opening, chart.to_svg(width=width, height=height), count=1))
