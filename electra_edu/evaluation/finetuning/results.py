"""What fine-tuning gives: the classifier of each seed, its epochs, and the scores of all seeds."""

import statistics
from dataclasses import dataclass

from electra_edu.evaluation.finetuning.classifiers import Classifier
from electra_edu.evaluation.tasks import Task


@dataclass(frozen=True)
class Epoch:
    """One pass over the labels."""

    loss: float  # mean training loss, in nats
    validation: float  # score on the validation sequences; NaN without any


@dataclass(frozen=True, eq=False)
class FineTuned:
    """One fine-tuned network."""

    seed: int
    score: float  # on the task's test part
    classifier: Classifier
    epochs: tuple[Epoch, ...]
    best_epoch: int  # the one whose weights the classifier has, counted from 0


@dataclass(frozen=True, eq=False)
class Results:
    """The same fine-tuning with several seeds, which draw the labelled examples, the head's weights and the order."""

    task: Task
    n_labels: int  # given to each of them
    runs: tuple[FineTuned, ...]

    @property
    def scores(self) -> list[float]:
        """The test scores, one per seed."""
        return [run.score for run in self.runs]

    @property
    def mean(self) -> float:
        """Mean of the test scores."""
        return statistics.fmean(self.scores)

    @property
    def median(self) -> float:
        """Median of the test scores, which is what the paper reports (of ten)."""
        return statistics.median(self.scores)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest test score."""
        return min(self.scores), max(self.scores)

    def __repr__(self) -> str:
        """Say the scores in one line."""
        low, high = self.range
        scores = f"{self.task.metric} {self.mean:.3f} ({low:.3f} to {high:.3f} over {len(self.runs)} seeds"
        return f"<{self.task.name} from {self.n_labels} labels: {scores}; majority {self.task.majority:.3f})>"
