"""The charts of a sheet, with room around them in inches, so that all blocks begin at the same left edge."""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from electra_edu.plots import palette
from electra_edu.plots.blocks import BarChart, Histogram, LineChart, Squares

SMALL, TITLE = 9, 10  # points
NAMES = 0.2  # inches of the line under the title that names the series
CHARACTER = 0.078  # inches of a small one
POINTS = 72  # in an inch

Chart = BarChart | Histogram | LineChart | Squares


class Margins(NamedTuple):
    """What a chart needs around its axes, in inches."""

    left: float
    right: float
    top: float
    bottom: float


NO_MARGINS = Margins(0, 0, 0, 0)


def margins(block: Chart) -> Margins:
    """Return the room for a chart's title, names and labels."""
    match block:
        case Squares():
            return Margins(0, 0, 0.26, 0)
        case BarChart(labels=labels):
            left = 0.14 + CHARACTER * max(map(len, labels), default=0)
        case Histogram() | LineChart():
            left = 0.66 if block.ylabel else 0.46
    return Margins(left, 0.14, 0.26 * bool(block.title) + NAMES * _is_named(block), 0.46 if block.xlabel else 0.26)


def draw_chart(axes: Axes, block: Chart, around: Margins) -> None:
    """Draw a chart into axes that have `around` them free."""
    match block:
        case BarChart():
            _bars(axes, block)
        case Histogram():
            _columns(axes, block)
        case LineChart():
            _curves(axes, block)
        case Squares():
            _squares(axes, block)
    axes.annotate(
        block.title,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-around.left * POINTS, (around.top - 0.02) * POINTS),
        textcoords="offset points",
        fontsize=TITLE,
        fontweight="bold",
        color=palette.INK,
        va="top",
    )
    if not isinstance(block, Squares) and _is_named(block):
        axes.legend(
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


def _is_named(block: BarChart | Histogram | LineChart) -> bool:
    """Tell whether the series of a chart are told apart by name."""
    match block:
        case BarChart(series=series):
            return len(series) > 1
        case Histogram(series=series):
            return any(each.name for each in series)
        case LineChart(curves=curves):
            return any(each.name for each in curves)


def _color(color: str) -> str:
    return str(getattr(palette, color.upper()))


def _bars(axes: Axes, block: BarChart) -> None:
    thickness = 0.8 / len(block.series)
    for j, series in enumerate(block.series):
        places = [i + (j - (len(block.series) - 1) / 2) * thickness for i in range(len(block.labels))]
        color = _color(series.color)
        axes.barh(
            places,
            series.values,
            thickness * 0.9,
            label=series.name,
            facecolor="none" if series.hollow else color,
            edgecolor=color,
        )
    axes.set_yticks(range(len(block.labels)), block.labels, fontsize=SMALL)
    if block.highlighted is not None:
        axes.get_yticklabels()[block.highlighted].set_fontweight("bold")
    axes.invert_yaxis()
    axes.set_xlim(0, block.limit)
    if block.as_percent:
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _finish(axes, block.xlabel, "")


def _columns(axes: Axes, block: Histogram) -> None:
    for series in block.series:
        color = _color(series.color)
        axes.stairs(
            series.values,
            block.edges,
            fill=not series.hollow,
            facecolor=to_rgba(color, 0.0 if series.hollow else 0.45),
            edgecolor=color,
            linewidth=1.4,
            label=series.name,
        )
    _mark(axes, block.marker, block.marker_name)
    axes.set_xlim(block.edges[0], block.edges[-1])
    _finish(axes, block.xlabel, block.ylabel)


def _squares(axes: Axes, block: Squares) -> None:
    rows = -(-len(block.squares) // block.per_row)
    for i, color in enumerate(block.squares):
        row, column = divmod(i, block.per_row)
        edge = _color(color or "neutral")
        face = "none" if color is None else edge
        axes.add_patch(Rectangle((column, -row), 0.75, 0.75, facecolor=face, edgecolor=edge, linewidth=0.5))
    axes.set(xlim=(-0.3, block.per_row), ylim=(-rows + 0.7, 1), aspect="equal")
    axes.set_anchor("NW")
    axes.set_axis_off()


def _curves(axes: Axes, block: LineChart) -> None:
    for curve in block.curves:
        axes.plot(curve.x, curve.y, "--" if curve.dashed else "-", color=_color(curve.color), label=curve.name)
    for x, y, name in block.dots:
        axes.plot([x], [y], "o", color=palette.INK)
        low, high = block.ylim or axes.get_ylim()
        below = -12 if y > low + 0.12 * (high - low) else 4  # where a curve that bends down leaves room
        axes.annotate(name, (x, y), xytext=(6, below), textcoords="offset points", fontsize=SMALL, color=palette.INK)
    _mark(axes, block.marker, block.marker_name)
    axes.set(xlim=block.xlim, ylim=block.ylim)
    _finish(axes, block.xlabel, block.ylabel)


def _mark(axes: Axes, marker: float | None, name: str) -> None:
    if marker is not None:
        axes.axvline(marker, color=palette.INK, linestyle=":", linewidth=1.2)
        axes.annotate(
            name,
            (marker, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -10),
            textcoords="offset points",
            fontsize=SMALL,
            color=palette.INK,
        )


def _finish(axes: Axes, xlabel: str, ylabel: str) -> None:
    axes.set_xlabel(xlabel, fontsize=SMALL)
    axes.set_ylabel(ylabel, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
