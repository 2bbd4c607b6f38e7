"""Frame: everything the live view shows at one moment, as plain data that checks itself."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from electra_edu.plots.growing_curve import MOST_POINTS
from electra_edu.support.errors import ElectraEduError, nearest

Role = Literal["generator", "discriminator", "probe", "neutral"]
Style = Literal["raw", "smooth", "dotted", "markers"]
VerdictKind = Literal["learning", "majority", "plateau", "starved", "stopped", "idle"]
Numbers = Sequence[float] | Sequence[float | None] | NDArray[Any]  # missing: None or NaN

MOST_WORDS = 25  # of a verdict


def thin(x: Numbers, y: Numbers, most: int = MOST_POINTS) -> tuple[list[float], list[float]]:
    """Return at most `most` points (x, y) of a series, its extremes among them.

    The first and the last point stay. What lies between is cut into equal runs of points, and each run leaves its
    lowest and its highest point, in their order: no spike is lost, nothing is averaged. Missing values (None, NaN,
    infinite) are skipped where a run has others, and leave one gap (NaN) where it has none.

    Args:
        x: (N,) positions, ascending.
        y: (N,) values; an `array.array("d")` or a NumPy array is read without copying.
        most: the number of points to stay under, at least 4.

    Raises:
        ElectraEduError: the two lengths differ, or `most` is below 4.
    """
    if most < 4:
        raise ElectraEduError(f"most={most}: must be at least 4 (first, last, and a lowest and a highest between).")
    _require_same_length("thin", x, y)
    positions, values = _finite_or_nan(x), _finite_or_nan(y)
    if len(values) > most:
        kept = _extremes(values, (most - 2) // 2)
        positions, values = positions[kept], values[kept]
    return positions.tolist(), values.tolist()


def _extremes(values: NDArray[np.float64], runs: int) -> NDArray[np.intp]:
    """Return ascending indices: both ends, and the lowest and highest of each of `runs` runs of the rest."""
    edges = np.linspace(1, len(values) - 1, runs + 1).astype(int)
    missing = np.isnan(values)
    lowest, highest = np.where(missing, np.inf, values), np.where(missing, -np.inf, values)
    kept = [0, len(values) - 1]
    for start, stop in itertools.pairwise(edges):
        kept += [start + int(lowest[start:stop].argmin()), start + int(highest[start:stop].argmax())]
    return np.unique(kept)


class _Part:
    """A piece of a frame; `to_dict` gives its JSON form."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values, nested parts included."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Series(_Part):
    """One curve. `x` (N,) ascending and `y` (N,), where None or NaN leaves a gap; `role` is its colour.

    "raw" is faint and unlabelled, "smooth" bold, "dotted" thin, "markers" shows each measurement. All but "raw" carry
    their name and latest value at the line's end.
    """

    name: str
    role: Role
    x: Numbers
    y: Numbers
    style: Style = "smooth"

    def __post_init__(self) -> None:
        """Refuse an unknown role or style, and lengths that differ."""
        _require_choice("role", self.role, Role)
        _require_choice("style", self.style, Style)
        _require_same_length(f"Series {self.name!r}", self.x, self.y)


@dataclass(frozen=True, eq=False)
class Kept(_Part):
    """A curve of an earlier run, drawn pale behind the live ones; `label` says with which settings it ran."""

    label: str
    x: Numbers
    y: Numbers
    role: Role = "neutral"

    def __post_init__(self) -> None:
        """Refuse an unknown role, and lengths that differ."""
        _require_choice("role", self.role, Role)
        _require_same_length(f"Kept {self.label!r}", self.x, self.y)


@dataclass(frozen=True, eq=False)
class Floor(_Part):
    """A dashed line that says what the loss means: one height `y`, or a curve `y` (N,) over `x` (N,)."""

    label: str
    y: float | Numbers
    x: Numbers | None = None

    def __post_init__(self) -> None:
        """Refuse a curve without its `x`, and a single height with one."""
        if self.x is None and not (isinstance(self.y, int | float) and math.isfinite(self.y)):
            raise ElectraEduError(f"Floor {self.label!r}: y={self.y!r} must be a finite number, or a curve with its x.")
        if self.x is not None:
            _require_same_length(f"Floor {self.label!r}", self.x, self.y)


@dataclass(frozen=True)
class Strip(_Part):
    """One pair of axes: curves that share a unit. `y_range` None fits the data; `role` colours the label."""

    label: str
    unit: str
    series: Sequence[Series]
    role: Role = "neutral"
    y_range: tuple[float, float] | None = None
    floor: Floor | None = None
    kept: Sequence[Kept] = ()

    def __post_init__(self) -> None:
        """Refuse an unknown role and an empty or reversed range."""
        _require_choice("role", self.role, Role)
        if self.y_range is not None and not self.y_range[0] < self.y_range[1]:
            raise ElectraEduError(f"y_range={self.y_range}: must be (low, high) with low below high, or None.")


@dataclass(frozen=True)
class Chart(_Part):
    """Strips stacked over one x axis."""

    title: str
    strips: Sequence[Strip]


@dataclass(frozen=True)
class Mark(_Part):
    """A change made during the run, at step `x`: a thin line through every strip."""

    x: float
    label: str


@dataclass(frozen=True)
class Token(_Part):
    """One token of the sentence, as the discriminator reads it.

    `probability` that it was replaced, in [0, 1]; None before the first judgement. `original` is the true word where
    the token was replaced, None where it is the original. `word_start` False joins it to the token before, as a leading
    "##" does.
    """

    text: str
    probability: float | None
    masked: bool = False
    original: str | None = None
    word_start: bool = True

    def __post_init__(self) -> None:
        """Refuse a probability outside [0, 1]; NaN counts as None."""
        if self.probability is not None and not math.isnan(self.probability) and not 0 <= self.probability <= 1:
            raise ElectraEduError(f"probability={self.probability!r} of {self.text!r}: must be in [0, 1] or None.")


@dataclass(frozen=True)
class Sentence(_Part):
    """One held-out sentence with its corruption, and a line that says what is seen."""

    tokens: Sequence[Token]
    caption: str


@dataclass(frozen=True)
class Verdict(_Part):
    """What is seen, why, and what to try, in at most 25 words."""

    kind: VerdictKind
    text: str

    def __post_init__(self) -> None:
        """Refuse an unknown kind and a long text."""
        _require_choice("kind", self.kind, VerdictKind)
        if (words := len(self.text.split())) > MOST_WORDS:
            raise ElectraEduError(f"text: a verdict of {words} words; at most {MOST_WORDS}, so say less.")


@dataclass(frozen=True)
class Frame(_Part):
    """All the live view shows. `x_max` None lets the x axis grow with the data; a part left out is not drawn."""

    charts: Sequence[Chart]
    marks: Sequence[Mark] = ()
    sentence: Sentence | None = None
    verdict: Verdict | None = None
    status: str = ""
    x_label: str = "steps"
    x_max: float | None = None


def _plain(value: Any) -> Any:
    """Return one field as a JSON value; a number that JSON lacks becomes None."""
    if isinstance(value, _Part):
        return value.to_dict()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if len(value) and isinstance(value[0], _Part):
        return [part.to_dict() for part in value]
    numbers = _finite_or_nan(value)
    plain = numbers.tolist()
    return [None if number != number else number for number in plain] if np.isnan(numbers).any() else plain


def _finite_or_nan(values: Numbers) -> NDArray[np.float64]:
    """Return the values (N,) as float64 with NaN for whatever is missing or infinite."""
    array = np.asarray(values, dtype=float)
    return np.where(np.isfinite(array), array, np.nan)


def _require_choice(field: str, value: str, choices: Any) -> None:
    known = get_args(choices)
    if value not in known:
        raise ElectraEduError(f"{field}={value!r}: must be one of {', '.join(known)}.{nearest(str(value), known)}")


def _require_same_length(what: str, x: Any, y: Any) -> None:
    if len(x) != len(y):
        raise ElectraEduError(f"{what}: x has {len(x)} values and y {len(y)}; give one y (None for a gap) per x.")
