"""The matplotlib engine's line charts: curves, bands, floors, dots and vertical lines."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from electra_edu.plots import palette
from electra_edu.plots.blocks import finite
from electra_edu.plots.charts import LineChart, Scale, Subplot, VerticalLine

SMALL = 9  # points
STYLES: dict[str, dict[str, Any]] = {
    "solid": {"linestyle": "-", "linewidth": 2.0},
    "raw": {"linestyle": "-", "linewidth": 0.8, "alpha": 0.3},
    "dashed": {"linestyle": "--", "linewidth": 1.6},
    "dotted": {"linestyle": ":", "linewidth": 1.8},
    "dashdot": {"linestyle": "-.", "linewidth": 1.6},
    "pale": {"linestyle": "--", "linewidth": 1.1, "alpha": 0.45},
}
MARKERS = {
    "": "",
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "down": "v",
    "up": "^",
    "plus": "P",
    "star": "*",
    "cross": "X",
    "left": "<",
    "right": ">",
}


def draw_line_chart(parts: Sequence[Axes], chart: LineChart, names: str = "inside") -> None:
    """Draw each subplot of a chart into its axes, from the top; only the last writes below its x axis.

    `names` says where curves are named: "inside" the axes, in a line "above" them, or nowhere ("").
    """
    for i, (axes, subplot) in enumerate(zip(parts, chart.subplots, strict=True)):
        handles = draw_subplot(axes, subplot, chart.xscale)
        for line in chart.lines:
            vertical_line(axes, line if i == 0 else VerticalLine(line.x, ""))
        if chart.xlim is not None:
            axes.set_xlim(chart.xlim)
        if chart.xticks:
            axes.set_xticks(chart.xticks, [f"{tick:g}" for tick in chart.xticks])
            axes.minorticks_off()
        is_last = i == len(parts) - 1
        axes.tick_params(labelbottom=is_last)
        finish(axes, chart.xlabel if is_last else "", "")
        if handles and names == "above":
            legend(axes, handles)
        elif handles and names == "inside":
            axes.legend(handles=handles, loc="best", frameon=False, fontsize=SMALL)


def draw_subplot(axes: Axes, subplot: Subplot, xscale: Scale = "linear") -> list[Any]:
    """Draw curves, bands, the floor and dots; return what belongs into a legend."""
    handles: list[Any] = []
    for band in subplot.bands:
        color = color_of(band.color)
        area = axes.fill_between(
            finite(band.x), finite(band.low), finite(band.high), color=color, alpha=band.opacity, linewidth=0
        )
        if band.name:
            area.set_label(band.name)
            handles.append(area)
    for curve in subplot.curves:
        look = STYLES[curve.style] | {"marker": MARKERS[curve.marker], "markersize": 4.5}
        color = color_of(curve.color)
        (line,) = axes.plot(finite(curve.x), finite(curve.y), color=color, label=curve.name or "_unnamed", **look)
        if curve.name and curve.name != subplot.label and curve.style != "raw":
            handles.append(line)
    if subplot.floor is not None:
        _floor(axes, subplot)
    for dot in subplot.dots:
        axes.plot([dot.x], [dot.y], "o", color=palette.INK, label="_dot")
        low, high = subplot.ylim or axes.get_ylim()
        below = -12 if dot.y > low + 0.12 * (high - low) else 4  # where a curve that bends down leaves room
        note(axes, dot.label, (dot.x, dot.y), (6, below), color=palette.INK)
    axes.set_xscale(xscale)
    axes.set_yscale(subplot.yscale)
    if subplot.ylim is not None:
        axes.set_ylim(subplot.ylim)
    label = f"{subplot.label}\n({subplot.unit})" if subplot.unit else subplot.label
    axes.set_ylabel(label, color=color_of(subplot.color), fontsize=SMALL)
    axes.grid(alpha=0.25)
    return handles


def legend(axes: Axes, handles: Sequence[Any] | None = None) -> None:
    """Name the series in one line above the axes."""
    axes.legend(
        handles=handles or axes.get_legend_handles_labels()[0],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=8,
        frameon=False,
        fontsize=SMALL,
        borderaxespad=0.1,
        borderpad=0,
        handlelength=1.6,
        columnspacing=1.4,
    )


def color_of(name: str) -> str:
    """Return a colour of the palette by its name."""
    return str(getattr(palette, name.upper()))


def _floor(axes: Axes, subplot: Subplot) -> None:
    floor = subplot.floor
    assert floor is not None
    look = {"linestyle": "--", "color": palette.NEUTRAL, "linewidth": 1.2, "label": "_floor"}
    if isinstance(floor.y, int | float):
        axes.axhline(floor.y, **look)  # type: ignore[arg-type]
        note(axes, floor.label, (0.99, floor.y), (0, 3), ("axes fraction", "data"), ha="right")
        return
    x, y = finite(floor.x if floor.x is not None else ()), finite(floor.y)
    axes.plot(x, y, **look)  # type: ignore[arg-type]
    if len(x):
        note(axes, floor.label, (x[-1], y[-1]), (-4, 4), ha="right")


def note(
    axes: Axes,
    text: str,
    place: tuple[float, float],
    offset: tuple[float, float],
    coordinates: Any = "data",
    color: str = palette.NEUTRAL,
    ha: str = "left",
) -> None:
    """Write a small text beside a place, `offset` points away from it."""
    axes.annotate(
        text, place, xycoords=coordinates, xytext=offset, textcoords="offset points", fontsize=SMALL, color=color, ha=ha
    )


def vertical_line(axes: Axes, line: VerticalLine) -> None:
    """Draw a line through the whole height with its label at the top."""
    axes.axvline(line.x, color=palette.NEUTRAL, linestyle=":", linewidth=1.2, label="_line")
    if line.label:
        note(axes, line.label, (line.x, 1), (4, -10), ("data", "axes fraction"), palette.INK)


def finish(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Label the axes, and leave out the frame's upper and right edge."""
    axes.set_xlabel(xlabel, fontsize=SMALL)
    if ylabel:
        axes.set_ylabel(ylabel, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
