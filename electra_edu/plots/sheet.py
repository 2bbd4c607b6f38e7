"""Draw the blocks of an instrument with matplotlib, for readers without a kernel."""

from collections.abc import Sequence
from textwrap import fill, wrap

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import PercentFormatter

from electra_edu.plots import palette
from electra_edu.plots.blocks import Bars, Block, Cells, Code, Columns, Facts, Lines, Pair, Table, Text, Tokens

WIDTH = 8.7  # inches
WRAP = 112  # characters of 9.5 points that fit the width
SMALL, NORMAL, WORD = 9, 9.5, 11
MARGIN = 0.08  # inches between blocks
CHART = 2.1  # inches


def sheet_height(blocks: Sequence[Block]) -> float:
    """Return how many inches of height these blocks need."""
    return sum(_height(block) + MARGIN for block in blocks)


def sheet(figure: Figure, blocks: Sequence[Block]) -> Figure:
    """Draw the blocks below one another, each as wide as the figure."""
    heights = [_height(block) for block in blocks]
    parts = figure.add_gridspec(len(blocks), 1, height_ratios=heights)
    for block, part in zip(blocks, (parts[row, 0] for row in range(len(blocks))), strict=True):
        if isinstance(block, Pair):
            halves = part.subgridspec(1, 2, wspace=0.12)
            for column, half in enumerate((block.left, block.right)):
                _draw(figure.add_subplot(halves[0, column]), half, WRAP // 2, _height(block))
        else:
            _draw(figure.add_subplot(part), block, WRAP, _height(block))
    return figure


def _height(block: Block) -> float:
    match block:
        case Pair(left=left, right=right):
            return max(_height(left), _height(right))
        case Tokens():
            return 0.26 * bool(block.title) + len(_lines(block)) * _line_height(block) + 0.26 * bool(block.key)
        case Facts():
            return 0.62
        case Text(text=text):
            return 0.2 * len(wrap(text, WRAP)) + 0.05
        case Code(code=code):
            return 0.2 * (code.count("\n") + 1) + 0.1
        case Table(rows=rows, title=title):
            return 0.25 * (len(rows) + 1) + 0.26 * bool(title)
        case Cells(cells=cells, per_row=per_row):
            return 0.3 + 0.12 * -(-len(cells) // per_row)
        case Bars(labels=labels, series=series):
            return 0.75 + len(labels) * (0.1 + 0.13 * len(series))
        case _:
            return CHART


def _draw(axes: Axes, block: Block, columns: int, height: float) -> None:
    if not isinstance(block, Bars | Columns | Lines):
        axes.set_in_layout(False)  # words may run to the edge without taking room from the charts
    match block:
        case Tokens():
            _tokens(axes, block, height)
        case Facts(facts=facts):
            _plane(axes)
            for i, fact in enumerate(facts):
                x = i / max(len(facts), 1)
                axes.text(x, 0.72, fact.value, fontsize=13, fontweight="bold", color=_color(fact.tone), va="center")
                axes.text(
                    x, 0.28, fill(fact.label, 124 // len(facts)), fontsize=SMALL, color=palette.NEUTRAL, va="center"
                )
        case Text(text=text, tone=tone):
            _plane(axes)
            axes.text(0, 1, fill(text, columns), fontsize=NORMAL, color=_color(tone), va="top")
        case Code(code=code):
            _plane(axes)
            axes.text(0.01, 0.5, code, fontsize=NORMAL, family="monospace", color=palette.INK, va="center")
        case Table():
            _table(axes, block, height)
        case Bars():
            _bars(axes, block)
        case Columns():
            _columns(axes, block)
        case Lines():
            _curves(axes, block)
        case Cells():
            _cells(axes, block)


def _plane(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()


def _color(tone: str) -> str:
    return str(getattr(palette, tone.upper()))


def _title(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=palette.INK)


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
        axes.text(0, top, block.title, fontsize=10, fontweight="bold", color=palette.INK, va="top")
        top -= 0.26
    has_signs = any(token.sign for token in block.tokens)
    has_levels = any(token.level is not None for token in block.tokens)
    line_height = _line_height(block)
    for line in _lines(block):
        x = 0.0
        for i in line:
            token, color = block.tokens[i], _color(block.tokens[i].tone)
            width = _width(token.text, token.note)
            plain = token.tone == "ink" and not token.pressed
            axes.add_patch(
                FancyBboxPatch(
                    (x, top - line_height + 0.05),
                    width,
                    line_height - 0.07,
                    boxstyle="round,pad=0,rounding_size=0.05",
                    mutation_aspect=0.05,
                    facecolor=to_rgba(color, 0.0 if token.tone == "ink" else 0.12),
                    edgecolor="none" if plain else color,
                    linewidth=0.8,
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
        axes.text(0, top, block.title, fontsize=10, fontweight="bold", color=palette.INK, va="top")
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


# Charts


def _bars(axes: Axes, block: Bars) -> None:
    thickness = 0.8 / len(block.series)
    for j, series in enumerate(block.series):
        places = [i + (j - (len(block.series) - 1) / 2) * thickness for i in range(len(block.labels))]
        color = _color(series.tone)
        axes.barh(
            places,
            series.values,
            thickness * 0.9,
            label=series.name,
            facecolor="none" if series.hollow else color,
            edgecolor=color,
        )
    axes.set_yticks(range(len(block.labels)), block.labels, fontsize=SMALL)
    if block.lit is not None:
        axes.get_yticklabels()[block.lit].set_fontweight("bold")
    axes.invert_yaxis()
    axes.set_xlim(0, block.limit)
    if block.as_percent:
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _finish(axes, block.title, block.xlabel, "", len(block.series) > 1)


def _columns(axes: Axes, block: Columns) -> None:
    for series in block.series:
        color = _color(series.tone)
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
    _finish(axes, block.title, block.xlabel, block.ylabel, any(series.name for series in block.series))


def _cells(axes: Axes, block: Cells) -> None:
    rows = -(-len(block.cells) // block.per_row)
    for i, tone in enumerate(block.cells):
        row, column = divmod(i, block.per_row)
        color = _color(tone or "neutral")
        face = "none" if tone is None else color
        axes.add_patch(Rectangle((column, -row), 0.75, 0.75, facecolor=face, edgecolor=color, linewidth=0.5))
    axes.set(xlim=(-0.3, block.per_row), ylim=(-rows + 0.7, 1), aspect="equal")
    axes.set_axis_off()
    _title(axes, block.title)


def _curves(axes: Axes, block: Lines) -> None:
    for curve in block.curves:
        axes.plot(curve.x, curve.y, "--" if curve.dashed else "-", color=_color(curve.tone), label=curve.name)
    for x, y, name in block.dots:
        axes.plot([x], [y], "o", color=palette.INK)
        axes.annotate(name, (x, y), xytext=(6, 4), textcoords="offset points", fontsize=SMALL, color=palette.INK)
    _mark(axes, block.marker, block.marker_name)
    axes.set(xlim=block.xlim, ylim=block.ylim)
    _finish(axes, block.title, block.xlabel, block.ylabel, any(curve.name for curve in block.curves))


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


def _finish(axes: Axes, title: str, xlabel: str, ylabel: str, with_legend: bool) -> None:
    _title(axes, title)
    axes.set_xlabel(xlabel, fontsize=SMALL)
    axes.set_ylabel(ylabel, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    if with_legend:
        axes.legend(frameon=False, fontsize=SMALL)
