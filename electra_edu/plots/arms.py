"""Recorded experiments as figures: the arms' means over seeds, with the band of the mean's 95 % interval."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from electra_edu.experiments import Interval, Row, curves, mean_interval
from electra_edu.plots.mathtext import literal
from electra_edu.plots.palette import DISCRIMINATOR, GENERATOR, INK, NEUTRAL, PROBE, WARNING

# A colour of its own for the first six, then the same with another line; every arm has a marker of its own as well, so
# that the figures can be read without colour.
COLORS = (DISCRIMINATOR, GENERATOR, PROBE, NEUTRAL, WARNING, "#8E4585")
MARKERS = "osD^vP*X<>"
LINES = ("-", "--", ":", "-.")
OWN: Mapping[str, str] = MappingProxyType({"BERT": GENERATOR, "ELECTRA": DISCRIMINATOR, "from scratch": NEUTRAL})


def style(arms: Sequence[str], arm: str) -> dict[str, str]:
    """Return the colour, line and marker of an arm among `arms`; no two of up to ten look alike.

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
        "linestyle": LINES[alike.index(arm) % len(LINES)],
        "marker": MARKERS[list(arms).index(arm) % len(MARKERS)],
    }


def arm_curves(axes: Axes, rows: Sequence[Row], score: str, arms: Sequence[str] | None = None) -> Axes:
    """Draw a column of a record over the FLOPs spent (a logarithmic axis), a line for each of `arms` (all if None).

    An arm that has no such score is left out.
    """
    every = list(dict.fromkeys(row["arm"] for row in rows))
    for arm in arms if arms is not None else every:
        mine = [row for row in rows if row["arm"] == arm and row[score] is not None]
        if not mine:
            continue
        flops, values, _ = curves(mine, arm, score)
        draw_arm(axes, flops / 1e12, [mean_interval(column.tolist()) for column in values.T], arm, every)
    axes.set_xscale("log")
    marks = sorted({row["tflop"] for row in rows})
    shown = marks[:: max(1, math.ceil(len(marks) / 6))]
    axes.set_xticks(shown, [f"{mark:g}" for mark in shown])
    axes.minorticks_off()
    axes.set_xlabel("TFLOP spent (10¹² operations)", color=INK)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def draw_arm(axes: Axes, x: ArrayLike, found: Sequence[Interval], arm: str, arms: Sequence[str]) -> None:
    """Draw an arm's means over `x` as a line and their intervals as a band, in the look it has among `arms`."""
    look = style(arms, arm)
    axes.plot(x, [each.value for each in found], label=literal(arm), linewidth=1.8, markersize=4.5, **look)  # type: ignore[arg-type]
    low, high = [each.low for each in found], [each.high for each in found]
    axes.fill_between(x, low, high, color=look["color"], alpha=0.15, linewidth=0)
