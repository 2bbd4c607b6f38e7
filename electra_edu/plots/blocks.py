"""What a panel shows, as an ordered list of blocks: words, facts, verdicts, tables, code and charts, all plain data.

The browser draws the blocks (widgets/static/blocks.js), and `plots.draw_blocks` draws the same ones with matplotlib for
readers without a kernel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np

from electra_edu.plots.charts import (
    BarChart,
    Color,
    Curve,
    HeatMap,
    Histogram,
    IntervalChart,
    LineChart,
    Numbers,
    Squares,
)
from electra_edu.support.errors import ElectraEduError

RunState = Literal["learning", "majority", "plateau", "starved", "stopped", "idle"]
MOST_WORDS = 25  # of a verdict


@dataclass(frozen=True)
class Token:
    """A word with what is known about it."""

    text: str
    note: str = ""  # below the word, short: "12%", "label 1"
    sign: str = ""  # above it, one or two characters: what its colour means
    color: Color = "ink"
    level: float | None = None  # between 0 and 1: how full the bar below the word is
    about: str = ""  # a sentence for those who point at it or hear it read
    pressed: bool = False  # of a word that was picked
    is_plain: bool = False  # cannot be picked, though others in its line can
    tint: float | None = None  # between 0 and 1: how strongly it is shaded in the discriminator's colour
    continues: bool = False  # the word before it, as a leading "##" says


@dataclass(frozen=True)
class Tokens:
    """A line of words, wrapped where it must. With `pick`, the action's name, its words are buttons."""

    tokens: tuple[Token, ...]
    title: str = ""
    pick: str = ""
    key: tuple[tuple[Color, str, str], ...] = ()  # (color, sign, what they mean)
    button: str = ""  # the text of a button beside the title, which is also the name of its action


@dataclass(frozen=True)
class Fact:
    """A number with its meaning: "77 of 512" / "tokens have a loss"."""

    value: str
    label: str
    color: Color = "ink"


@dataclass(frozen=True)
class Facts:
    """Up to five facts side by side."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Text:
    """A sentence or two."""

    text: str
    color: Color = "ink"


@dataclass(frozen=True)
class Verdict:
    """What is seen in a run, why, and what to try, in at most 25 words. It is read aloud whenever it changes."""

    state: RunState
    text: str

    def __post_init__(self) -> None:
        """Refuse an unknown state and a long text."""
        if self.state not in get_args(RunState):
            raise ElectraEduError(f"state={self.state!r}: must be one of {', '.join(get_args(RunState))}.")
        if (words := len(self.text.split())) > MOST_WORDS:
            raise ElectraEduError(f"text: a verdict of {words} words; at most {MOST_WORDS}, so say less.")


@dataclass(frozen=True)
class Status:
    """A quiet line of numbers that change all the time."""

    text: str


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

    blocks: tuple["Single", ...]


Chart = LineChart | BarChart | Histogram | IntervalChart | HeatMap | Squares
Single = Tokens | Chart | Facts | Text | Verdict | Status | Table | Code
Block = Single | Row


def to_dict(block: Block) -> dict[str, Any]:
    """Return a block as JSON can hold it: its `kind` and its fields, with None for NaN and infinity."""
    return {"kind": type(block).__name__, **_fields(block)}


def _fields(part: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(part, field.name)) for field in fields(part)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Block):
        return to_dict(value)
    if is_dataclass(value):
        return _fields(value)
    if len(value) and isinstance(value[0], Real):
        numbers = finite(value)
        return [None if number != number else number for number in numbers.tolist()]
    return [_plain(each) for each in value]


def finite(values: Numbers) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the values as float64, NaN for whatever is missing or infinite."""
    array = np.asarray(values, dtype=float)
    return np.where(np.isfinite(array), array, np.nan)


def in_words(blocks: Sequence[Block]) -> str:
    """Say what blocks show, for those who cannot see them: titles, numbers and sentences."""
    return " ".join(filter(None, map(_words_of, blocks)))


def _words_of(block: Block) -> str:
    match block:
        case Row(blocks=blocks):
            return in_words(blocks)
        case Tokens(tokens=tokens, title=title):
            words = " ".join(f"{token.text} ({token.note})" if token.note else token.text for token in tokens)
            return f"{title.removesuffix('.')}: {words}." if title else f"{words}."
        case Facts(facts=facts):
            return " ".join(f"{fact.value} {fact.label}." for fact in facts)
        case Text(text=text) | Verdict(text=text):
            return text
        case Status(text=text):
            return f"{text}."
        case Code(code=code):
            return f"Code: {code}."
        case Table(title=title, rows=rows):
            return f"{title or 'Table'}: " + "; ".join(", ".join(row) for row in rows) + "."
        case Squares(title=title, squares=squares):
            return f"{title}: {sum(map(bool, squares))} of {len(squares)} squares are filled."
        case BarChart(title=title, xlabel=xlabel):
            return f"Bars: {title} ({xlabel})."
        case IntervalChart(title=title, xlabel=xlabel, estimates=estimates):
            found = "; ".join(f"{each.label} {each.value:.3g} [{each.low:.3g}, {each.high:.3g}]" for each in estimates)
            return f"{title} ({xlabel}): {found}."
        case HeatMap(title=title, rows=rows, columns=columns):
            return f"Heat map: {title}, {len(rows)} × {len(columns)}."
        case Histogram(title=title, xlabel=xlabel):
            return f"Chart: {title}, over {xlabel}."
        case LineChart(title=title, xlabel=xlabel, subplots=subplots):
            ends = filter(None, (_end_of(curve) for subplot in subplots for curve in subplot.curves))
            return f"Chart: {title}, over {xlabel}. {' '.join(ends)}".strip()


def _end_of(curve: Curve) -> str:
    """Say where a named curve ends; "" for raw values, which a smoothed curve of the same name stands for."""
    values = finite(curve.y)
    values = values[~np.isnan(values)]
    if curve.style == "raw" or not curve.name or not len(values):
        return ""
    return f"{curve.name} ends at {values[-1]:.3g}."
