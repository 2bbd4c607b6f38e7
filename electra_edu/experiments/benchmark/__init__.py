"""A training step against the clock: beside the other public ways to take one, and as its sizes grow."""

from electra_edu.experiments.benchmark.contest import contest
from electra_edu.experiments.benchmark.growth import growth, slopes
from electra_edu.experiments.benchmark.hardware import hardware
from electra_edu.experiments.benchmark.shapes import SHAPES, Shape, shape_named

__all__ = ["SHAPES", "Shape", "contest", "growth", "hardware", "shape_named", "slopes"]
