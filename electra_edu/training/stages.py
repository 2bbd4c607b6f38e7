"""What was asked of a run, so that it can be asked again: changes of settings, and steps taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from electra_edu.config.objectives import Trained
from electra_edu.training.schemes import trained_at

if TYPE_CHECKING:
    from electra_edu.training.run import TrainingRun


@dataclass(frozen=True)
class Stage:
    """Some settings are changed (perhaps none), then steps are taken (perhaps none).

    As calls: `run.change(**changes)`, then `run.advance(steps, trained)`.
    """

    changes: dict[str, float]
    steps: int
    trained: Trained | None = None  # None: what the config's scheme says


class StageLog:
    """The stages that lead from a new run to this one, in order, for those who ask often: only what is new is read.

    They are read from the records and the changes, so that they cannot contradict them.
    """

    def __init__(self, run: TrainingRun) -> None:
        """Begin with nothing read."""
        self._run = run
        self._stages: list[Stage] = []
        self._n_records = self._n_changes = 0

    def stages(self) -> list[Stage]:
        """Return the stages of the run as it stands."""
        run = self._run
        records = run.history[self._n_records :]  # before the changes: whatever preceded these records is then there
        for record in records:
            self._take_changes()
            asked = None if record.trained == trained_at(record.step - 1, run.first_config) else record.trained
            last = self._stages[-1] if self._stages else None
            if last is not None and (last.steps == 0 or last.trained == asked):
                self._stages[-1] = Stage(last.changes, last.steps + 1, asked)
            else:
                self._stages.append(Stage({}, 1, asked))
            self._n_records += 1
        self._take_changes()
        return list(self._stages)

    def _take_changes(self) -> None:
        """Take the changes that were made before the next record."""
        while self._n_changes < len(self._run.changes):
            change = self._run.changes[self._n_changes]
            if change.step > self._n_records:
                return
            last = self._stages[-1] if self._stages else None
            if last is not None and last.steps == 0:
                self._stages[-1] = Stage(last.changes | {change.field: change.after}, 0)
            else:
                self._stages.append(Stage({change.field: change.after}, 0))
            self._n_changes += 1
