"""How a step's time and memory grow: four panels on logarithmic axes, each with the steepest slope that is due."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from electra_edu.plots.palette import DISCRIMINATOR, GENERATOR, NEUTRAL

LABELS = {  # what the horizontal axis is in
    "sequence length": "sequence length (tokens)",
    "width": "hidden size (units)",
    "layers": "depth (layers of each network)",
    "vocabulary": "vocabulary (tokens)",
}


def growth(rows: Sequence[Mapping[str, Any]], most: Mapping[str, float]) -> Figure:
    """Draw `milliseconds` (left axis) and `megabytes` (right axis) of `rows` against `size`, a panel for each `varied`.

    `most` is the exponent with which each may grow: a dashed grey line through the first time.
    """
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    panels = figure.subplots(2, 2).flat
    for axes, (name, slope) in zip(panels, most.items(), strict=False):
        _panel(axes, [row for row in rows if row["varied"] == name], name, slope)
    return figure


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], name: str, slope: float) -> None:
    ordered = sorted(rows, key=lambda row: row["size"])
    sizes = [row["size"] for row in ordered]
    times, bytes_held = ([row[what] for row in ordered] for what in ("milliseconds", "megabytes"))
    right = axes.twinx()
    (time,) = axes.loglog(sizes, times, "o-", color=DISCRIMINATOR, linewidth=2, label="time")
    (memory,) = right.loglog(sizes, bytes_held, "s:", color=GENERATOR, linewidth=2, label="memory")
    steepest = [times[0] * (size / sizes[0]) ** slope for size in sizes]
    (guide,) = axes.loglog(
        sizes, steepest, "--", color=NEUTRAL, linewidth=1.2, label=f"time, slope {slope:g}: the most"
    )
    axes.set_title(f"Growth with {name}", fontsize=11)
    axes.set_xlabel(LABELS.get(name, name))
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("time per step (ms)", color=DISCRIMINATOR)
    right.set_ylabel("memory (MB)", color=GENERATOR)
    for one, values in ((axes, [*times, *steepest]), (right, bytes_held)):
        _decades(one, values)
        one.spines["top"].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(handles=[time, memory, guide], loc="upper left", frameon=False, fontsize=8)


def _decades(axes: Axes, values: Sequence[float]) -> None:
    """Give the vertical axis room for the legend and at least a decade, so that a flat line looks flat."""
    low, high = min(values), max(values)
    axes.set_ylim(low / 1.5, max(4 * high, 10 * low))
    axes.yaxis.set_minor_formatter(NullFormatter())
