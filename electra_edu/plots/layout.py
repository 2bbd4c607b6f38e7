"""Draw the blocks of an instrument with matplotlib, for readers without a kernel."""

from collections.abc import Sequence
from textwrap import fill, wrap

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from electra_edu.plots import palette
from electra_edu.plots.blocks import (
    BarChart,
    Block,
    Code,
    Facts,
    Histogram,
    LineChart,
    Row,
    Squares,
    Table,
    Text,
    Tokens,
)
from electra_edu.plots.chart_drawing import NAMES, NO_MARGINS, SMALL, TITLE, Margins, draw_chart, margins
from electra_edu.plots.mathtext import literal
from electra_edu.support.arguments import instance, items, refuse

WIDTH = 8.7  # inches
WRAP = 112  # characters of 9.5 points that fit the width
NORMAL, WORD = 9.5, 11  # points; SMALL and TITLE are those of the charts
EDGE = 0.08  # inches around the sheet
GAP = 0.12  # inches between blocks
BETWEEN = 0.3  # inches between the halves of a pair
CHART = 2.3  # inches
BLOCK = "[plots.blocks.Text('a sentence')]"  # how errors say what can be drawn
FACT_LINE = 0.16  # inches


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
        if isinstance(block, Row):
            half = (width - BETWEEN) / 2
            _draw(figure, block.blocks[0], EDGE, top, half)
            _draw(figure, block.blocks[1], EDGE + half + BETWEEN, top, half)
        else:
            _draw(figure, block, EDGE, top, width)
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
        case Tokens():
            return 0.26 * bool(block.title) + len(_lines(block)) * _line_height(block) + 0.26 * bool(block.key)
        case Facts():
            return 0.28 + FACT_LINE * max(label.count("\n") + 1 for label in _labels(block))
        case Text(text=text):
            return 0.2 * len(wrap(text, WRAP)) + 0.05
        case Code(code=code):
            return 0.2 * (code.count("\n") + 1) + 0.1
        case Table(rows=rows, title=title):
            return 0.25 * (len(rows) + 1) + 0.26 * bool(title)
        case Squares(squares=squares, per_row=per_row):
            return 0.3 + 0.12 * -(-len(squares) // per_row)
        case BarChart(labels=labels, series=series):
            return 0.75 + NAMES * (len(series) > 1) + len(labels) * (0.1 + 0.13 * len(series))
        case _:
            return CHART


def _draw(figure: Figure, block: Block, x: float, top: float, wide: float) -> None:
    """Draw a block into axes whose upper left corner is at (`x`, `top`); everything in inches."""
    height, around = _height(block), NO_MARGINS
    if isinstance(block, BarChart | Histogram | LineChart | Squares):
        around = margins(block)
    axes = figure.add_axes(_rectangle(figure, around, x, top, wide, height))
    match block:
        case Tokens():
            _tokens(axes, block, height)
        case Facts():
            _facts(axes, block, height)
        case Text(text=text, color=color):
            _plane(axes)
            axes.text(0, 1, fill(text, int(WRAP * wide / WIDTH)), fontsize=NORMAL, color=_color(color), va="top")
        case Code(code=code):
            _plane(axes)
            axes.text(0.01, 0.5, code, fontsize=NORMAL, family="monospace", color=palette.INK, va="center")
        case Table():
            _table(axes, block, height)
        case BarChart() | Histogram() | LineChart() | Squares():
            draw_chart(axes, block, around)


def _rectangle(
    figure: Figure, around: Margins, x: float, top: float, wide: float, height: float
) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height of axes as shares of the figure, from inches."""
    across, up = figure.get_figwidth(), figure.get_figheight()
    inner = wide - around.left - around.right, max(height - around.top - around.bottom, 0.1)
    return (x + around.left) / across, (top - height + around.bottom) / up, inner[0] / across, inner[1] / up


def _plane(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()


def _color(color: str) -> str:
    return str(getattr(palette, color.upper()))


def _labels(block: Facts) -> list[str]:
    """Return the facts' labels, wrapped to their share of the width."""
    return [fill(fact.label, 116 // max(len(block.facts), 1)) for fact in block.facts]


def _facts(axes: Axes, block: Facts, height: float) -> None:
    axes.set(xlim=(0, 1), ylim=(0, height))
    axes.set_axis_off()
    for i, (fact, label) in enumerate(zip(block.facts, _labels(block), strict=True)):
        x = i / len(block.facts)
        axes.text(x, height, fact.value, fontsize=13, fontweight="bold", color=_color(fact.color), va="top")
        axes.text(x, height - 0.26, label, fontsize=SMALL, color=palette.NEUTRAL, va="top", linespacing=1.1)


# Words: laid out by an estimate of their widths, in units of one character


def _width(token_text: str, note: str) -> float:
    return max(len(token_text) * 1.15, len(note) * 1.05, 2.0) + 1.9


def _lines(block: Tokens) -> list[list[int]]:
    lines: list[list[int]] = [[]]
    filled = 0.0
    for i, token in enumerate(block.tokens):
        needed = _width(token.text, token.note) + 0.4
        if lines[-1] and filled + needed > 108:
            lines.append([])
            filled = 0.0
        lines[-1].append(i)
        filled += needed
    return lines


def _line_height(block: Tokens) -> float:
    tokens = block.tokens
    return (
        0.32
        + 0.18 * any(token.sign for token in tokens)
        + 0.08 * any(token.level is not None for token in tokens)
        + 0.18 * any(token.note for token in tokens)
    )


def _tokens(axes: Axes, block: Tokens, height: float) -> None:
    axes.set(xlim=(0, 108), ylim=(0, height))
    axes.set_axis_off()
    top = height
    if block.title:
        axes.text(0, top, block.title, fontsize=TITLE, fontweight="bold", color=palette.INK, va="top")
        top -= 0.26
    has_signs = any(token.sign for token in block.tokens)
    has_levels = any(token.level is not None for token in block.tokens)
    line_height = _line_height(block)
    for line in _lines(block):
        x = 0.0
        for i in line:
            token, color = block.tokens[i], _color(block.tokens[i].color)
            width = _width(token.text, token.note)
            plain = token.color == "ink" and not token.pressed
            axes.add_patch(
                FancyBboxPatch(
                    (x, top - line_height + 0.05),
                    width,
                    line_height - 0.07,
                    boxstyle="round,pad=0,rounding_size=0.05",
                    mutation_aspect=0.05,
                    facecolor=to_rgba(color, 0.0 if token.color == "ink" else 0.12),
                    edgecolor="none" if plain else color,
                    linewidth=0.8,
                    clip_on=False,
                )
            )
            y, middle = top - 0.1, x + width / 2
            if has_signs:
                axes.text(middle, y, token.sign, ha="center", va="center", fontsize=SMALL, color=color)
                y -= 0.17
            axes.text(middle, y - 0.03, token.text, ha="center", va="center", fontsize=WORD, color=palette.INK)
            y -= 0.15
            if has_levels:
                if token.level is not None:
                    axes.plot([x + 0.6, x + width - 0.6], [y, y], color=palette.NEUTRAL, alpha=0.3, linewidth=3)
                    if token.level > 0:
                        axes.plot([x + 0.6, x + 0.6 + (width - 1.2) * token.level], [y, y], color=color, linewidth=3)
                y -= 0.08
            axes.text(middle, y - 0.04, token.note, ha="center", va="center", fontsize=SMALL, color=palette.NEUTRAL)
            x += width + 0.4
        top -= line_height
    if block.key:
        key = "     ".join(f"{sign} {meaning}".strip() for _, sign, meaning in block.key)
        axes.text(0, top, key, fontsize=SMALL, color=palette.NEUTRAL, va="top")


def _table(axes: Axes, block: Table, height: float) -> None:
    axes.set(xlim=(0, 1), ylim=(0, height))
    axes.set_axis_off()
    top = height
    if block.title:
        axes.text(0, top, block.title, fontsize=TITLE, fontweight="bold", color=palette.INK, va="top")
        top -= 0.26
    widest = [max(map(len, column)) + 2 for column in zip(block.head, *block.rows, strict=True)]
    starts = [sum(widest[:i]) / sum(widest) for i in range(len(widest))]
    for number, row in enumerate((block.head, *block.rows)):
        for i, (start, cell) in enumerate(zip(starts, row, strict=True)):
            axes.text(
                start,
                top - 0.12,
                cell,
                fontsize=SMALL,
                va="center",
                color=palette.INK if number else palette.NEUTRAL,
                fontweight="bold" if number and not i else "normal",
            )
        top -= 0.25
        axes.plot([0, 1], [top, top], color=palette.NEUTRAL, linewidth=0.5, alpha=0.5)
