"""Draw the blocks of a panel with matplotlib, for readers without a kernel."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from electra_edu.plots.blocks import Block, Chart, Row, Single
from electra_edu.plots.chart_drawing import NAMES, draw_chart, draw_title, margins
from electra_edu.plots.charts import BarChart, HeatMap, Histogram, IntervalChart, LineChart, Squares
from electra_edu.plots.line_drawing import draw_line_chart
from electra_edu.plots.mathtext import literal
from electra_edu.plots.text_drawing import draw_words, words_height
from electra_edu.support.arguments import instance, items, refuse

WIDTH = 8.7  # inches
EDGE = 0.08  # inches around the figure
GAP = 0.12  # inches between blocks
BETWEEN = 0.3  # inches between the blocks of a row, and between the subplots of a chart
CHART = 2.3  # inches; of a chart of several subplots, each one after the first adds SUBPLOT
SUBPLOT = 1.3
BLOCK = "[plots.blocks.Text('a sentence')]"  # how errors say what can be drawn


def blocks_height(blocks: Sequence[Block]) -> float:
    """Return how many inches of height these blocks need."""
    return sum(_height(block) + GAP for block in map(literal, _checked(blocks))) + 2 * EDGE


def draw_blocks(figure: Figure, blocks: Sequence[Block]) -> Figure:
    """Draw the blocks below one another, each as wide as the figure.

    Every block gets its place in inches. An automatic layout would move words and charts apart from each other, since
    words may run over the edge of their axes and a chart's labels may not.
    """
    instance("figure", figure, Figure, "matplotlib.figure.Figure()")
    blocks = _checked(blocks)
    top = figure.get_figheight() - EDGE
    width = figure.get_figwidth() - 2 * EDGE
    for block in map(literal, blocks):
        height = _height(block)
        parts = block.blocks if isinstance(block, Row) else (block,)
        wide = (width - BETWEEN * (len(parts) - 1)) / len(parts)
        for i, part in enumerate(parts):
            _draw(figure, part, EDGE + i * (wide + BETWEEN), top, wide, height)
        top -= height + GAP
    return figure


def _checked(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks; refuse what is none."""
    members = items("blocks", blocks, BLOCK)
    for member in members:
        if not isinstance(member, Block):
            refuse("blocks", member, f"a list of blocks, for example {BLOCK}")
    return list(members)


def _height(block: Block) -> float:
    match block:
        case Row(blocks=blocks):
            return max(map(_height, blocks))
        case Squares(squares=squares, per_row=per_row):
            return 0.3 + 0.12 * -(-len(squares) // per_row)
        case BarChart(labels=labels, series=series):
            return 0.75 + NAMES * (len(series) > 1) + len(labels) * (0.1 + 0.13 * len(series))
        case IntervalChart(estimates=estimates):
            return 0.75 + 0.24 * len(estimates)
        case HeatMap(rows=rows):
            around = margins(block)
            return around.top + around.bottom + 0.26 * len(rows)
        case LineChart(subplots=subplots):
            return CHART + SUBPLOT * (len(subplots) - 1)
        case Histogram():
            return CHART
        case _:
            return words_height(block)


def _draw(figure: Figure, block: Single, x: float, top: float, wide: float, room: float) -> None:
    """Draw a block whose upper left corner is at (`x`, `top`); everything in inches.

    A line chart fills the `room` of its row, so that charts side by side end at the same height.
    """
    height = room if isinstance(block, LineChart) else _height(block)
    if not isinstance(block, Chart):
        draw_words(_axes(figure, x, top, wide, height), block, height, wide / WIDTH)
        return
    around = margins(block)
    inner = wide - around.left - around.right
    if not isinstance(block, LineChart):
        axes = _axes(figure, x + around.left, top - around.top, inner, height - around.top - around.bottom)
        draw_chart(axes, block)
        draw_title(axes, block.title, around)
        return
    n = len(block.subplots)
    each = (height - around.top - around.bottom - BETWEEN * (n - 1)) / n
    parts = [_axes(figure, x + around.left, top - around.top - i * (each + BETWEEN), inner, each) for i in range(n)]
    draw_line_chart(parts, block, "above")
    draw_title(parts[0], block.title, around)


def _axes(figure: Figure, x: float, top: float, wide: float, high: float) -> Axes:
    """Add axes at a place in inches; of a block without room for them at least a tenth of an inch is left."""
    across, up, high = figure.get_figwidth(), figure.get_figheight(), max(high, 0.1)
    return figure.add_axes((x / across, (top - high) / up, wide / across, high / up))
