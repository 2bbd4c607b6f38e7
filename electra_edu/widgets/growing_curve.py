"""GrowingCurve: a series without end, kept as the points that a strip can show."""

import math
from itertools import zip_longest
from typing import NamedTuple

from electra_edu.widgets.frame import MOST_POINTS


class Point(NamedTuple):
    """One value y at x; NaN where it is missing."""

    x: float
    y: float


class _Run(NamedTuple):
    """The lowest and the highest point of some neighbours."""

    lowest: Point
    highest: Point

    def joined(self, other: "_Run") -> "_Run":
        """Return both as one; a missing value counts only where there is no other."""
        lowest = min(self.lowest, other.lowest, key=lambda point: (math.isnan(point.y), point.y))
        highest = max(self.highest, other.highest, key=lambda point: (not math.isnan(point.y), point.y))
        return _Run(lowest, highest)


class GrowingCurve:
    """Takes one point after the other; gives at most `most` of them back, its extremes among them.

    As `frame.thin` does for a series that is there as a whole: the first and the last point stay, and what lies between
    is cut into equal runs of points, each of which leaves its lowest and its highest. When there are too many runs, two
    neighbours become one. So memory and drawing cost the same however long the series is.
    """

    def __init__(self, most: int = MOST_POINTS) -> None:
        """Begin without a point; `most` is at least 6."""
        self._most_runs = (most - 2) // 2
        self._first: Point | None = None
        self._last: Point | None = None
        self._runs: list[_Run] = []
        self._width = 1  # points in a run
        self._filled = 0  # of the newest run

    def add(self, x: float, y: float) -> None:
        """Take one more point, further right than all before."""
        point = Point(x, y if math.isfinite(y) else math.nan)
        if self._first is None:
            self._first = point
            return
        if self._last is not None:
            self._put(self._last)
        self._last = point

    def points(self) -> tuple[list[float], list[float]]:
        """Return x and y of the points to draw."""
        kept = [self._first] if self._first is not None else []
        for run in self._runs:
            kept += sorted({run.lowest, run.highest}) if run.lowest.x != run.highest.x else [run.lowest]
        if self._last is not None:
            kept.append(self._last)
        return [point.x for point in kept], [point.y for point in kept]

    def _put(self, point: Point) -> None:
        single = _Run(point, point)
        if self._runs and self._filled < self._width:
            self._runs[-1] = self._runs[-1].joined(single)
            self._filled += 1
            return
        self._runs.append(single)
        self._filled = 1
        # A run of one point leaves one: there may be twice as many of these, and then still an even number of runs
        if len(self._runs) > (self._most_runs if self._width > 1 else 2 * self._most_runs - 1):
            self._halve()

    def _halve(self) -> None:
        before = len(self._runs)
        pairs = zip_longest(self._runs[::2], self._runs[1::2])
        self._runs = [one if other is None else one.joined(other) for one, other in pairs]
        self._filled += self._width if before % 2 == 0 else 0
        self._width *= 2
