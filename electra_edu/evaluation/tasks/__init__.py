"""Tasks for a pre-trained network that need no download: what is known about a corpus's held-out text."""

from electra_edu.evaluation.tasks.catalogue import load_task, task_names
from electra_edu.evaluation.tasks.scores import Metric, accuracy, macro_f1
from electra_edu.evaluation.tasks.task import Task

__all__ = ["Metric", "Task", "accuracy", "load_task", "macro_f1", "task_names"]
