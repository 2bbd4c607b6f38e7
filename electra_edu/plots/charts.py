"""Charts as plain data, without any display library: what is drawn, not how.

A `color` is a name of the palette and never the only difference: style, marker, outline or text differ too. x and y of
a curve are any sequences of numbers; None, NaN and infinity leave a gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from electra_edu.support.errors import ElectraEduError, nearest

Color = Literal["ink", "generator", "discriminator", "probe", "neutral", "warning", "stop", "violet"]
Style = Literal["solid", "raw", "dashed", "dotted", "dashdot", "pale"]
Marker = Literal["", "circle", "square", "diamond", "down", "up", "plus", "star", "cross", "left", "right"]
Scale = Literal["linear", "log"]
Numbers = Sequence[float] | Sequence[float | None] | NDArray[Any]


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve. `x` (N,) ascending and `y` (N,).

    "raw" is faint, for what a smoothed curve of the same name summarises; "pale" is the curve of an earlier run, whose
    `name` says with which settings. All others carry their name and last value at their end. A `marker` shows each
    measurement.
    """

    name: str
    x: Numbers
    y: Numbers
    color: Color = "ink"
    style: Style = "solid"
    marker: Marker = ""

    def __post_init__(self) -> None:
        """Refuse an unknown colour, style or marker, and lengths that differ."""
        _require_choice("color", self.color, Color)
        _require_choice("style", self.style, Style)
        _require_choice("marker", self.marker, Marker)
        _require_same_length(f"Curve {self.name!r}", self.x, y=self.y)


@dataclass(frozen=True, eq=False)
class Band:
    """A filled area from `low` (N,) to `high` (N,) over `x` (N,): the interval over seeds, or a share of a whole."""

    name: str
    x: Numbers
    low: Numbers
    high: Numbers
    color: Color = "ink"
    opacity: float = 0.15

    def __post_init__(self) -> None:
        """Refuse an unknown colour and lengths that differ."""
        _require_choice("color", self.color, Color)
        _require_same_length(f"Band {self.name!r}", self.x, low=self.low, high=self.high)


@dataclass(frozen=True, eq=False)
class Floor:
    """A dashed reference line: one height `y`, or a curve `y` (N,) over `x` (N,)."""

    label: str
    y: float | Numbers
    x: Numbers | None = None

    def __post_init__(self) -> None:
        """Refuse a curve without its `x`, and a single height with one."""
        if self.x is None and not (isinstance(self.y, int | float) and abs(self.y) < float("inf")):
            raise ElectraEduError(f"Floor {self.label!r}: y={self.y!r} must be a finite number, or a curve with its x.")
        if self.x is not None:
            _require_same_length(f"Floor {self.label!r}", self.x, y=self.y)


@dataclass(frozen=True)
class Dot:
    """One point with its name beside it."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class VerticalLine:
    """A line through the whole chart at `x`: a change made during a run, a threshold, the value of a slider."""

    x: float
    label: str


@dataclass(frozen=True, eq=False)
class Subplot:
    """One pair of axes: curves that share a unit. `color` is that of its label; `ylim` None fits the data."""

    label: str
    curves: Sequence[Curve]
    unit: str = ""
    color: Color = "neutral"
    ylim: tuple[float, float] | None = None
    yscale: Scale = "linear"
    floor: Floor | None = None
    bands: Sequence[Band] = ()
    dots: Sequence[Dot] = ()

    def __post_init__(self) -> None:
        """Refuse an unknown colour and an empty or reversed range."""
        _require_choice("color", self.color, Color)
        _require_choice("yscale", self.yscale, Scale)
        if self.ylim is not None and not self.ylim[0] < self.ylim[1]:
            raise ElectraEduError(f"ylim={self.ylim}: must be (low, high) with low below high, or None.")


@dataclass(frozen=True, eq=False)
class LineChart:
    """Subplots stacked over one x axis. `xlim` None lets the axis grow with the data, from 0 on a linear scale.

    Line charts side by side in a `Row` share their x axis and their cursor where they have the same `xlabel`.
    """

    title: str
    subplots: Sequence[Subplot]
    xlabel: str
    xlim: tuple[float, float] | None = None
    xscale: Scale = "linear"
    xticks: Sequence[float] = ()  # where values were measured; () chooses round ones
    lines: Sequence[VerticalLine] = ()
    empty: str = ""  # what is written in the middle as long as there is no data


@dataclass(frozen=True)
class Series:
    """One value per bar or bin; `hollow` ones are drawn as outlines, so that two series differ without colour."""

    name: str
    values: tuple[float, ...]
    color: Color = "ink"
    hollow: bool = False


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars, grouped: one row per label and one bar per series in it. The axis begins at 0."""

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
    line: VerticalLine | None = None


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its interval, a row of an `IntervalChart`."""

    label: str
    value: float
    low: float
    high: float
    color: Color = "ink"


@dataclass(frozen=True)
class IntervalChart:
    """Values or ratios with their intervals, one row each (a forest plot), and a vertical line to compare with."""

    title: str
    estimates: tuple[Estimate, ...]
    xlabel: str
    reference: VerticalLine | None = None
    xscale: Scale = "linear"


@dataclass(frozen=True)
class HeatMap:
    """Values in rows and columns, the stronger the colour the higher: attention, or layers × words.

    `values` has one row per label in `rows`; `limits` are the values without and with full colour.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    limits: tuple[float, float] = (0.0, 1.0)
    color: Color = "discriminator"
    xlabel: str = ""
    ylabel: str = ""

    def __post_init__(self) -> None:
        """Refuse values that do not fit the labels."""
        if len(self.values) != len(self.rows) or any(len(row) != len(self.columns) for row in self.values):
            raise ElectraEduError(
                f"values of HeatMap {self.title!r}: must be {len(self.rows)} rows of {len(self.columns)} numbers, one "
                "for each pair of labels."
            )


@dataclass(frozen=True)
class Squares:
    """One small square per token, in rows: filled in a colour, or an empty outline where the colour is None."""

    title: str
    squares: tuple[Color | None, ...]
    per_row: int = 32


def _require_choice(field: str, value: str, choices: Any) -> None:
    known = get_args(choices)
    if value not in known:
        raise ElectraEduError(f"{field}={value!r}: must be one of {', '.join(known)}.{nearest(str(value), known)}")


def _require_same_length(what: str, x: Any, **others: Any) -> None:
    for name, values in others.items():
        if len(x) != len(values):
            raise ElectraEduError(
                f"{what}: x has {len(x)} values and {name} {len(values)}; give one {name} (None for a gap) per x."
            )
