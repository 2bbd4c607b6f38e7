"""Training against the clock: a step beside other public ways, as sizes grow, and until it has learned."""

from benchmarks.contest import contest
from benchmarks.growth import growth, slopes
from benchmarks.insight import TARGETS, target_of, time_to_insight
from benchmarks.insight import summary as insight_summary
from benchmarks.shapes import SHAPES, Shape, shape_named

__all__ = [
    "SHAPES",
    "TARGETS",
    "Shape",
    "contest",
    "growth",
    "insight_summary",
    "shape_named",
    "slopes",
    "target_of",
    "time_to_insight",
]
