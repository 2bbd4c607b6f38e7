"""Recorded experiments as figures: the arms' means over seeds, with the band that 95 % of resampled means lie in."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from matplotlib.axes import Axes

from electra_edu.experiments import Row, curves, mean_interval
from electra_edu.plots.palette import DISCRIMINATOR, GENERATOR, INK, NEUTRAL, PROBE, WARNING

# A colour of its own for the first six, then the same with another line; every arm has a marker of its own as well, so
# that the figures can be read without colour.
COLORS = (DISCRIMINATOR, GENERATOR, PROBE, NEUTRAL, WARNING, "#8E4585")
MARKERS = "osD^vP*X<>"
OWN: Mapping[str, str] = MappingProxyType({"BERT": GENERATOR, "ELECTRA": DISCRIMINATOR, "from scratch": NEUTRAL})


def style(arms: Sequence[str], arm: str) -> dict[str, str]:
    """Return the colour, line and marker of an arm among `arms`."""
    i = list(arms).index(arm)
    line = "-" if i < len(COLORS) else "--"
    return {"color": OWN.get(arm, COLORS[i % len(COLORS)]), "linestyle": line, "marker": MARKERS[i % len(MARKERS)]}


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
        found = [mean_interval(column.tolist()) for column in values.T]
        x, look = flops / 1e12, style(every, arm)
        axes.plot(x, [each.value for each in found], label=arm, linewidth=1.8, markersize=4.5, **look)  # type: ignore[arg-type]
        axes.fill_between(
            x, [each.low for each in found], [each.high for each in found], color=look["color"], alpha=0.15, linewidth=0
        )
    axes.set_xscale("log")
    marks = sorted({row["tflop"] for row in rows})
    shown = marks[:: max(1, math.ceil(len(marks) / 6))]
    axes.set_xticks(shown, [f"{mark:g}" for mark in shown])
    axes.minorticks_off()
    axes.set_xlabel("TFLOP spent (10¹² operations)", color=INK)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes
