"""Training against the clock: a step beside other public ways, as sizes grow, and until it has learned."""

from electra_edu.experiments.benchmark.contest import contest
from electra_edu.experiments.benchmark.growth import growth, slopes
from electra_edu.experiments.benchmark.hardware import hardware
from electra_edu.experiments.benchmark.insight import MARKS, marks_of, time_to_insight
from electra_edu.experiments.benchmark.insight import summary as insight_summary
from electra_edu.experiments.benchmark.shapes import SHAPES, Shape, shape_named

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
