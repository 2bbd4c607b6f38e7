"""GrowingCurve: a series without end, as the points that a chart can show."""

import math
from typing import NamedTuple

MOST_POINTS = 240  # of a curve on screen: more than a chart has pixels to tell apart


class Point(NamedTuple):
    """One value y at x; NaN where it is missing."""

    x: float
    y: float


class _Run:
    """The lowest and the highest point of some neighbours; a missing value counts only where there is no other."""

    __slots__ = ("highest", "lowest")

    def __init__(self, point: Point) -> None:
        self.lowest = self.highest = point

    def take(self, point: Point) -> None:
        if point.y < self.lowest.y or self.lowest.y != self.lowest.y:  # NaN is not equal to itself
            self.lowest = point
        if point.y > self.highest.y or self.highest.y != self.highest.y:
            self.highest = point


class GrowingCurve:
    """Takes one point after the other; gives at most `most` of them back, its extremes among them.

    The first and the last point stay. What lies between is cut into equal runs of points, each of which leaves its
    lowest and its highest in their order: no spike is lost, nothing is averaged. When there are too many runs, two
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

    def thinned(self, most: int) -> tuple[list[float], list[float]]:
        """Return at most `most` of the points, chosen in the same way."""
        curve = GrowingCurve(most)
        for x, y in zip(*self.points(), strict=True):
            curve.add(x, y)
        return curve.points()

    def _put(self, point: Point) -> None:
        if self._runs and self._filled < self._width:
            self._runs[-1].take(point)
            self._filled += 1
            return
        self._runs.append(_Run(point))
        self._filled = 1
        # A run of one point leaves one: there may be twice as many of these, and then still an even number of runs
        if len(self._runs) > (self._most_runs if self._width > 1 else 2 * self._most_runs - 1):
            self._halve()

    def _halve(self) -> None:
        """Join each run with its neighbour; an odd one at the end stays alone, with room for more."""
        runs = self._runs
        self._runs = runs[::2]
        for one, other in zip(runs[::2], runs[1::2], strict=False):
            one.take(other.lowest)
            one.take(other.highest)
        self._filled += 0 if len(runs) % 2 else self._width
        self._width *= 2
