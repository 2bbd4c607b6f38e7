"""The matplotlib engine's charts, with room around them in inches, so that all blocks begin at the same left edge."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from electra_edu.plots import palette
from electra_edu.plots.blocks import Chart, finite
from electra_edu.plots.charts import BarChart, HeatMap, Histogram, IntervalChart, LineChart, Squares
from electra_edu.plots.line_drawing import SMALL, color_of, draw_line_chart, finish, legend, vertical_line

TITLE = 10  # points
NAMES = 0.2  # inches of the line under the title that names the series
CHARACTER = 0.078  # inches of a small one
POINTS = 72  # in an inch
SHORT = 3  # characters of a column's label that stands upright


class Margins(NamedTuple):
    """What a chart needs around its axes, in inches."""

    left: float
    right: float
    top: float
    bottom: float


def margins(block: Chart) -> Margins:
    """Return the room for a chart's title, names and labels."""
    right, bottom = 0.14, 0.46
    match block:
        case Squares():
            return Margins(0, 0, 0.26, 0)
        case BarChart(labels=labels):
            left = 0.14 + CHARACTER * max(map(len, labels), default=0)
        case IntervalChart(estimates=estimates):
            left = 0.14 + CHARACTER * max((len(each.label) for each in estimates), default=0)
        case HeatMap(rows=rows, columns=columns, ylabel=ylabel):
            left = 0.14 + CHARACTER * max(map(len, rows), default=0) + 0.2 * bool(ylabel)
            longest = max(map(len, columns), default=0)
            bottom = 0.24 * bool(block.xlabel) + (0.22 if longest <= SHORT else 0.12 + CHARACTER * longest)
        case Histogram():
            left = 0.66
        case LineChart(subplots=subplots):
            left = 0.8 if any(subplot.unit for subplot in subplots) else 0.66
    top = 0.26 * bool(block.title) + NAMES * _is_named(block)
    return Margins(left, right, top, bottom if getattr(block, "xlabel", "") or isinstance(block, HeatMap) else 0.26)


def draw_title(axes: Axes, title: str, around: Margins) -> None:
    """Write a chart's title at the left edge of the block, above the names of its series."""
    axes.annotate(
        title,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-around.left * POINTS, (around.top - 0.02) * POINTS),
        textcoords="offset points",
        fontsize=TITLE,
        fontweight="bold",
        color=palette.INK,
        va="top",
    )


def draw_chart(axes: Axes, block: Chart) -> None:
    """Draw a chart that has one pair of axes."""
    match block:
        case BarChart():
            _bars(axes, block)
        case Histogram():
            _histogram(axes, block)
        case IntervalChart():
            _intervals(axes, block)
        case HeatMap():
            _heat_map(axes, block)
        case Squares():
            _squares(axes, block)
        case LineChart():
            draw_line_chart([axes], block)


def _is_named(block: Chart) -> bool:
    """Tell whether the series of a chart are told apart by name."""
    match block:
        case BarChart(series=series):
            return len(series) > 1
        case Histogram(series=series):
            return any(each.name for each in series)
        case LineChart(subplots=subplots):
            return any(
                curve.name and curve.name != subplot.label for subplot in subplots[:1] for curve in subplot.curves
            )
    return False


def _bars(axes: Axes, block: BarChart) -> None:
    thickness = 0.8 / len(block.series)
    for j, series in enumerate(block.series):
        places = [i + (j - (len(block.series) - 1) / 2) * thickness for i in range(len(block.labels))]
        color = color_of(series.color)
        axes.barh(
            places,
            series.values,
            thickness * 0.9,
            label=series.name,
            facecolor="none" if series.hollow else color,
            edgecolor=color,
        )
    _label_rows(axes, block.labels)
    if block.highlighted is not None:
        axes.get_yticklabels()[block.highlighted].set_fontweight("bold")
    axes.set_xlim(0, block.limit)
    if block.as_percent:
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    finish(axes, block.xlabel, "")
    if len(block.series) > 1:
        legend(axes)


def _histogram(axes: Axes, block: Histogram) -> None:
    for series in block.series:
        color = color_of(series.color)
        axes.stairs(
            series.values,
            block.edges,
            fill=not series.hollow,
            facecolor=to_rgba(color, 0.0 if series.hollow else 0.45),
            edgecolor=color,
            linewidth=1.4,
            label=series.name,
        )
    if block.line is not None:
        vertical_line(axes, block.line)
    axes.set_xlim(block.edges[0], block.edges[-1])
    finish(axes, block.xlabel, block.ylabel)
    if _is_named(block):
        legend(axes)


def _intervals(axes: Axes, block: IntervalChart) -> None:
    for i, each in enumerate(block.estimates):
        color = color_of(each.color)
        axes.plot([each.low, each.high], [i, i], color=color, linewidth=2, solid_capstyle="butt")
        axes.plot([each.value], [i], "o", color=color, markersize=5)
    axes.set_xscale(block.xscale)
    _label_rows(axes, [each.label for each in block.estimates])
    axes.set_ylim(len(block.estimates) - 0.5, -0.5)
    if block.reference is not None:
        vertical_line(axes, block.reference)
    axes.grid(axis="x", alpha=0.25)
    finish(axes, block.xlabel, "")


def _heat_map(axes: Axes, block: HeatMap) -> None:
    low, high = block.limits
    colors = LinearSegmentedColormap.from_list("", ["#FFFFFF", color_of(block.color)])
    axes.imshow(finite([v for row in block.values for v in row]).reshape(len(block.rows), -1), colors, vmin=low,
                vmax=high, aspect="auto")  # fmt: skip
    for i, row in enumerate(block.values):
        for j, value in enumerate(row):
            if value == value and len(row) <= 10:
                ink = palette.INK if value < low + 0.55 * (high - low) else "#FFFFFF"
                axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=SMALL - 1, color=ink)
    is_upright = max(map(len, block.columns), default=0) <= SHORT
    axes.set_xticks(range(len(block.columns)), block.columns, rotation=0 if is_upright else 90, fontsize=SMALL)
    axes.set_yticks(range(len(block.rows)), block.rows, fontsize=SMALL)
    axes.tick_params(length=0)
    finish(axes, block.xlabel, block.ylabel)
    axes.spines[["left", "bottom"]].set_visible(False)


def _squares(axes: Axes, block: Squares) -> None:
    rows = -(-len(block.squares) // block.per_row)
    for i, color in enumerate(block.squares):
        row, column = divmod(i, block.per_row)
        edge = color_of(color or "neutral")
        face = "none" if color is None else edge
        axes.add_patch(Rectangle((column, -row), 0.75, 0.75, facecolor=face, edgecolor=edge, linewidth=0.5))
    axes.set(xlim=(-0.3, block.per_row), ylim=(-rows + 0.7, 1), aspect="equal")
    axes.set_anchor("NW")
    axes.set_axis_off()


def _label_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Write one label per row, the first at the top."""
    axes.set_yticks(range(len(labels)), labels, fontsize=SMALL)
    axes.invert_yaxis()
