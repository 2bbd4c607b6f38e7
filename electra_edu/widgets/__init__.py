"""Panels for lessons: one per idea, each a small class that takes a run or a text."""

from electra_edu.widgets.training_lab import TrainingLab

__all__ = ["TrainingLab"]
