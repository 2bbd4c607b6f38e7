"""Recorded experiments as charts: the arms' means over seeds, with the band of the mean's 95 % interval."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from electra_edu.experiments import Interval, Row, curves, mean_interval
from electra_edu.plots.charts import Band, Color, Curve, LineChart, Marker, Style, Subplot
from electra_edu.plots.line_drawing import draw_line_chart, draw_subplot
from electra_edu.plots.mathtext import literal

# A colour of its own for the first six, then the same with another line; every arm has a marker of its own as well, so
# that the charts can be read without colour.
COLORS: tuple[Color, ...] = ("discriminator", "generator", "probe", "neutral", "warning", "violet")
MARKERS: tuple[Marker, ...] = (
    "circle", "square", "diamond", "up", "down", "plus", "star", "cross", "left", "right",
)  # fmt: skip
STYLES: tuple[Style, ...] = ("solid", "dashed", "dotted", "dashdot")
OWN: Mapping[str, Color] = MappingProxyType(
    {"BERT": "generator", "ELECTRA": "discriminator", "from scratch": "neutral"}
)
MOST_TICKS = 6


def style(arms: Sequence[str], arm: str) -> dict[str, Any]:
    """Return the colour, line style and marker of an arm's curve among `arms`; no two of up to ten look alike.

    Variants of a method, "BERT, block 1" and "BERT, block 2", have its colour and different lines.
    """
    methods = {name: name.split(", ")[0] for name in arms}
    free = [color for color in COLORS if color not in {OWN[method] for method in methods.values() if method in OWN}]
    others = [name for name in arms if methods[name] not in OWN]
    colors = {name: free[i % len(free)] for i, name in enumerate(others)}
    colors |= {name: OWN[method] for name, method in methods.items() if method in OWN}
    alike = [name for name in arms if colors[name] == colors[arm]]
    return {
        "color": colors[arm],
        "style": STYLES[alike.index(arm) % len(STYLES)],
        "marker": MARKERS[list(arms).index(arm) % len(MARKERS)],
    }


def arm_chart(rows: Sequence[Row], score: str, arms: Sequence[str] | None = None, title: str = "") -> LineChart:
    """Return a column of a record over the FLOPs spent (a logarithmic axis), a curve for each of `arms` (all if None).

    An arm that has no such score is left out.
    """
    every = list(dict.fromkeys(row["arm"] for row in rows))
    drawn = []
    for arm in arms if arms is not None else every:
        mine = [row for row in rows if row["arm"] == arm and row[score] is not None]
        if mine:
            flops, values, _ = curves(mine, arm, score)
            intervals = [mean_interval(column.tolist()) for column in values.T]
            drawn.append(_curve_and_band(flops / 1e12, intervals, arm, every))
    budgets = sorted({row["tflop"] for row in rows})
    return LineChart(
        title,
        [Subplot("", [curve for curve, _ in drawn], bands=[band for _, band in drawn])],
        "TFLOP spent (10¹² operations)",
        xscale="log",
        xticks=budgets[:: max(1, math.ceil(len(budgets) / MOST_TICKS))],
    )


def arm_curves(axes: Axes, rows: Sequence[Row], score: str, arms: Sequence[str] | None = None) -> Axes:
    """Draw `arm_chart` into axes, without a legend."""
    draw_line_chart([axes], literal(arm_chart(rows, score, arms)), names="")
    return axes


def draw_arm(axes: Axes, x: ArrayLike, found: Sequence[Interval], arm: str, arms: Sequence[str]) -> None:
    """Draw an arm's means over `x` as a line and their intervals as a band, in the look it has among `arms`."""
    curve, band = _curve_and_band(x, found, arm, arms)
    draw_subplot(axes, literal(Subplot("", [curve], bands=[band])))


def _curve_and_band(x: Any, found: Sequence[Interval], arm: str, arms: Sequence[str]) -> tuple[Curve, Band]:
    look = style(arms, arm)
    curve = Curve(arm, x, [each.value for each in found], **look)
    return curve, Band("", x, [each.low for each in found], [each.high for each in found], look["color"])
