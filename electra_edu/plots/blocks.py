"""What an instrument shows, as plain data: words, bars, histograms, curves, figures and tables.

A panel shows a list of blocks. The browser draws it live (widgets/static/blocks.js), and `plots.draw_blocks` draws the
same list with matplotlib for readers without a kernel. A `color` is a colour's name in the palette and never the only
sign: where it means something, a sign or a word says so too.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Color = Literal["ink", "generator", "discriminator", "probe", "neutral", "warning", "stop"]


@dataclass(frozen=True)
class Token:
    """A word with what is known about it."""

    text: str
    note: str = ""  # below the word, short: "12%", "label 1"
    sign: str = ""  # above it, one or two characters: what its color means
    color: Color = "ink"
    level: float | None = None  # between 0 and 1: how full the bar below the word is
    about: str = ""  # a sentence for those who point at it or hear it read
    pressed: bool = False  # of a word that was picked
    is_plain: bool = False  # cannot be picked, though others in its line can


@dataclass(frozen=True)
class Tokens:
    """A line of words, wrapped where it must. With `pick`, the action's name, its words are buttons."""

    tokens: tuple[Token, ...]
    title: str = ""
    pick: str = ""
    key: tuple[tuple[Color, str, str], ...] = ()  # (color, sign, what they mean)


@dataclass(frozen=True)
class Series:
    """Values of one colour; `hollow` ones are drawn as outlines, so that two series differ without colour."""

    name: str
    values: tuple[float, ...]
    color: Color = "ink"
    hollow: bool = False


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars, one row per label and one bar per series in it. The axis begins at 0."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    xlabel: str  # with its unit
    limit: float | None = None  # where the axis ends; None: at the largest value
    highlighted: int | None = None  # the row whose label is bold
    as_percent: bool = False


@dataclass(frozen=True)
class Histogram:
    """A histogram: each series has one value per bin between the `edges`."""

    title: str
    edges: tuple[float, ...]
    series: tuple[Series, ...]
    xlabel: str
    ylabel: str
    marker: float | None = None  # a vertical line
    marker_name: str = ""


@dataclass(frozen=True)
class Squares:
    """One small square per token, in rows: filled in a color, or an empty outline where the color is None."""

    title: str
    squares: tuple[Color | None, ...]
    per_row: int = 32


@dataclass(frozen=True)
class Curve:
    """One curve of a `LineChart` block; NaN breaks it."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    color: Color = "ink"
    dashed: bool = False


@dataclass(frozen=True)
class LineChart:
    """Curves over one x axis, a vertical marker, and dots with names."""

    title: str
    curves: tuple[Curve, ...]
    xlabel: str
    ylabel: str
    xlim: tuple[float, float] | None = None
    ylim: tuple[float, float] | None = None
    marker: float | None = None
    marker_name: str = ""
    dots: tuple[tuple[float, float, str], ...] = ()


@dataclass(frozen=True)
class Fact:
    """A figure with its name: "77 of 512" / "tokens have a loss"."""

    value: str
    label: str
    color: Color = "ink"


@dataclass(frozen=True)
class Facts:
    """Up to five figures side by side."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Text:
    """A sentence or two."""

    text: str
    color: Color = "ink"


@dataclass(frozen=True)
class Table:
    """Rows of words under a head; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Code:
    """A line or two of code, as it would be typed."""

    code: str


@dataclass(frozen=True)
class Row:
    """Blocks side by side, equally wide."""

    blocks: "tuple[Chart, ...]"


Chart = BarChart | Histogram | Squares | LineChart | Table
Block = Tokens | Chart | Facts | Text | Code | Row


def to_dict(block: Block) -> dict[str, Any]:
    """Return a block as JSON can hold it, with its `kind`; a `Row` holds such dictionaries."""
    if isinstance(block, Row):
        return {"kind": "Row", "blocks": [to_dict(each) for each in block.blocks]}
    return {"kind": type(block).__name__, **{name: _jsonable(value) for name, value in asdict(block).items()}}


def _jsonable(value: Any) -> Any:
    """Return a value without NaN, which JSON does not know: None instead."""
    if isinstance(value, dict):
        return {name: _jsonable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def in_words(shown: Sequence[Block]) -> str:
    """Say what blocks show, for those who cannot see it: titles, figures and sentences."""
    told: list[str] = []
    for block in shown:
        match block:
            case Row(blocks=blocks):
                told.append(in_words(blocks))
            case Tokens(tokens=tokens, title=title):
                words = " ".join(f"{token.text} ({token.note})" if token.note else token.text for token in tokens)
                told.append(f"{title}: {words}." if title else f"{words}.")
            case Facts(facts=facts):
                told.append(" ".join(f"{fact.value} {fact.label}." for fact in facts))
            case Text(text=text):
                told.append(text)
            case Code(code=code):
                told.append(f"Code: {code}.")
            case Squares(title=title, squares=squares):
                told.append(f"{title}: {sum(map(bool, squares))} of {len(squares)} squares are filled.")
            case BarChart(title=title, xlabel=xlabel):
                told.append(f"Bars: {title} ({xlabel}).")
            case Histogram(title=title, xlabel=xlabel) | LineChart(title=title, xlabel=xlabel):
                told.append(f"Chart: {title}, over {xlabel}.")
            case Table(title=title, rows=rows):
                told.append(f"{title or 'Table'}: " + "; ".join(", ".join(row) for row in rows) + ".")
    return " ".join(told)
