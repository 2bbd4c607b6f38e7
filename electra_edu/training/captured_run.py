"""A TrainingRun whose steps a GPU replays; the same settings, methods and records."""

from electra_edu.config.objectives import Trained
from electra_edu.training.captured_step import CapturedStep
from electra_edu.training.figures import is_finite
from electra_edu.training.recording import CudaRecorder, Recorder
from electra_edu.training.remedies import stopped
from electra_edu.training.run import TrainingRun


class CapturedRun(TrainingRun):
    """Takes its steps as a `CapturedStep`: on CUDA three as usual, then replays; elsewhere all as usual.

    A trial: `make gpu` holds it against TrainingRun and times both. It draws what TrainingRun draws, and its numbers
    are the same to rounding. The exact generator, which computes on the CPU, cannot be recorded.
    """

    def recorder(self) -> Recorder | None:
        """Return what records the steps; None where they are taken as usual."""
        return CudaRecorder(self.device, self.rng, self.optimizers) if self.device.type == "cuda" else None

    def _begin(self) -> None:
        super()._begin()
        self._captured = CapturedStep(self.model, self.average, self.optimizers, self.rng, self.recorder())

    def _settle(self) -> None:
        if self._undo.step == self.step:  # taking a step back may take an optimiser's state away
            self._captured.forget()
        super()._settle()

    def _learn(self, trained: Trained) -> dict[str, float]:
        figures = self._captured.learn(self._batch(self.step), trained)
        if not is_finite(figures):
            raise stopped("a loss or gradient", self.step, self.config)
        self._captured.update(self.step)
        return figures
