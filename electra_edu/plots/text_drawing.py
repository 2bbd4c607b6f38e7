"""The matplotlib engine's words: tokens, facts, verdicts and tables, laid out by an estimate of their widths."""

from textwrap import fill, wrap

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyBboxPatch

from electra_edu.plots import palette
from electra_edu.plots.blocks import Code, Facts, Status, Table, Text, Token, Tokens, Verdict
from electra_edu.plots.chart_drawing import TITLE
from electra_edu.plots.line_drawing import SMALL, color_of

WRAP = 112  # characters of 9.5 points that fit the full width
LINE = 108  # widths of a character in a line of tokens
NORMAL, WORD = 9.5, 11  # points
TITLE_LINE, FACT_LINE, TABLE_LINE = 0.26, 0.16, 0.25  # inches
TINT = 0.45  # opacity of the strongest shade of a token

Words = Tokens | Facts | Text | Verdict | Status | Table | Code


def words_height(block: Words) -> float:
    """Return how many inches a block of words needs."""
    match block:
        case Tokens(title=title, key=key):
            return TITLE_LINE * bool(title) + len(_lines(block)) * _line_height(block) + TITLE_LINE * bool(key)
        case Facts():
            return 0.28 + FACT_LINE * max(label.count("\n") + 1 for label in _labels(block))
        case Text(text=text) | Verdict(text=text) | Status(text=text):
            return 0.2 * len(wrap(text, WRAP)) + 0.05
        case Code(code=code):
            return 0.2 * (code.count("\n") + 1) + 0.1
        case Table(rows=rows, title=title):
            return TABLE_LINE * (len(rows) + 1) + TITLE_LINE * bool(title)


def draw_words(axes: Axes, block: Words, height: float, share: float) -> None:
    """Draw a block of words into axes that are `height` inches high and as wide as a `share` of the whole figure."""
    axes.set(xlim=(0, 1), ylim=(0, height))
    axes.set_axis_off()
    match block:
        case Tokens():
            _tokens(axes, block, height)
        case Facts():
            _facts(axes, block, height)
        case Text(text=text, color=color):
            axes.text(0, height, fill(text, int(WRAP * share)), fontsize=NORMAL, color=color_of(color), va="top")
        case Verdict(text=text):
            bold = {"fontweight": "bold", "fontsize": NORMAL, "color": palette.INK}
            axes.text(0, height, fill(text, int(WRAP * share)), va="top", **bold)  # type: ignore[arg-type]
        case Status(text=text):
            axes.text(0, height, fill(text, int(WRAP * share)), fontsize=SMALL, color=palette.NEUTRAL, va="top")
        case Code(code=code):
            axes.text(0.01, height / 2, code, fontsize=NORMAL, family="monospace", color=palette.INK, va="center")
        case Table():
            _table(axes, block, _title(axes, block.title, height))


def _title(axes: Axes, title: str, top: float) -> float:
    """Write a title, if there is one; return where the next line begins."""
    if not title:
        return top
    axes.text(0, top, title, fontsize=TITLE, fontweight="bold", color=palette.INK, va="top")
    return top - TITLE_LINE


def _labels(block: Facts) -> list[str]:
    """Return the facts' labels, wrapped to their share of the width."""
    return [fill(fact.label, 116 // max(len(block.facts), 1)) for fact in block.facts]


def _facts(axes: Axes, block: Facts, height: float) -> None:
    for i, (fact, label) in enumerate(zip(block.facts, _labels(block), strict=True)):
        x = i / len(block.facts)
        axes.text(x, height, fact.value, fontsize=13, fontweight="bold", color=color_of(fact.color), va="top")
        axes.text(x, height - 0.26, label, fontsize=SMALL, color=palette.NEUTRAL, va="top", linespacing=1.1)


def _width(token: Token) -> float:
    return max(len(token.text) * 1.15, len(token.note) * 1.05, 2.0) + 1.9


def _lines(block: Tokens) -> list[list[Token]]:
    """Wrap tokens into lines."""
    lines: list[list[Token]] = [[]]
    filled = 0.0
    for token in block.tokens:
        needed = _width(token) + 0.4
        if lines[-1] and filled + needed > LINE:
            lines.append([])
            filled = 0.0
        lines[-1].append(token)
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
    axes.set_xlim(0, LINE)
    top = _title(axes, block.title, height)
    line_height = _line_height(block)
    for line in _lines(block):
        x = 0.0
        for token in line:
            _token(axes, token, x, top, line_height, block)
            x += _width(token) + 0.4
        top -= line_height
    if block.key:
        key = "     ".join(f"{sign} {meaning}".strip() for _, sign, meaning in block.key)
        axes.text(0, top, key, fontsize=SMALL, color=palette.NEUTRAL, va="top")


def _token(axes: Axes, token: Token, x: float, top: float, line_height: float, block: Tokens) -> None:
    """Draw one token from its upper left corner: sign, word, bar and note below each other in a box."""
    color, width = color_of(token.color), _width(token)
    shade = to_rgba(color, 0.0 if token.color == "ink" else 0.12)
    if token.tint is not None:
        shade = to_rgba(palette.DISCRIMINATOR, TINT * token.tint)
    is_bare = token.color == "ink" and not token.pressed and token.tint is None
    edge = "none" if is_bare else palette.NEUTRAL if token.color == "ink" and not token.pressed else color
    axes.add_patch(
        FancyBboxPatch(
            (x, top - line_height + 0.05),
            width,
            line_height - 0.07,
            boxstyle="round,pad=0,rounding_size=0.05",
            mutation_aspect=0.05,
            facecolor=shade,
            edgecolor=edge,
            linewidth=0.8,
            clip_on=False,
        )
    )
    y, middle = top - 0.1, x + width / 2
    if any(each.sign for each in block.tokens):
        axes.text(middle, y, token.sign, ha="center", va="center", fontsize=SMALL, color=color)
        y -= 0.17
    axes.text(middle, y - 0.03, token.text, ha="center", va="center", fontsize=WORD, color=palette.INK)
    y -= 0.15
    if any(each.level is not None for each in block.tokens):
        if token.level is not None:
            ends = x + 0.6, x + width - 0.6
            axes.plot(ends, [y, y], color=palette.NEUTRAL, alpha=0.3, linewidth=3)
            if token.level > 0:
                axes.plot([ends[0], ends[0] + (width - 1.2) * token.level], [y, y], color=color, linewidth=3)
        y -= 0.08
    axes.text(middle, y - 0.04, token.note, ha="center", va="center", fontsize=SMALL, color=palette.NEUTRAL)


def _table(axes: Axes, block: Table, top: float) -> None:
    widest = [max(map(len, column)) + 2 for column in zip(block.head, *block.rows, strict=True)]
    starts = [sum(widest[:i]) / sum(widest) for i in range(len(widest))]
    for number, row in enumerate((block.head, *block.rows)):
        for i, (start, cell) in enumerate(zip(starts, row, strict=True)):
            color, weight = palette.INK if number else palette.NEUTRAL, "bold" if number and not i else "normal"
            axes.text(start, top - 0.12, cell, fontsize=SMALL, va="center", color=color, fontweight=weight)
        top -= TABLE_LINE
        axes.plot([0, 1], [top, top], color=palette.NEUTRAL, linewidth=0.5, alpha=0.5)
