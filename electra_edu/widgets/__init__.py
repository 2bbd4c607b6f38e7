"""Panels for lessons: one per idea, each a small class that takes a run or a text."""

from electra_edu.widgets._figure import machine, show
from electra_edu.widgets.find_the_fakes import FindTheFakes
from electra_edu.widgets.training_lab import TrainingLab

__all__ = ["FindTheFakes", "TrainingLab", "machine", "show"]
