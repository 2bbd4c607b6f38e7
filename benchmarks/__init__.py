"""Training against the clock: a step beside other public ways, as sizes grow, and until it has learned."""

from benchmarks.contest import contest
from benchmarks.growth import growth, slopes
from benchmarks.hardware import hardware
from benchmarks.insight import MARKS, marks_of, time_to_insight
from benchmarks.insight import summary as insight_summary
from benchmarks.shapes import SHAPES, Shape, shape_named

__all__ = [
    "MARKS",
    "SHAPES",
    "Shape",
    "contest",
    "growth",
    "hardware",
    "insight_summary",
    "marks_of",
    "shape_named",
    "slopes",
    "time_to_insight",
]
