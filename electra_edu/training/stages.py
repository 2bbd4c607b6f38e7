"""Stages: the calls that led to a run's present state, read from its records, so that they can be repeated."""

from collections.abc import Sequence
from dataclasses import dataclass

from electra_edu.config import ElectraConfig
from electra_edu.config.objectives import Trained
from electra_edu.training.records import Change, StepRecord
from electra_edu.training.schemes import trained_at


@dataclass(frozen=True)
class Stage:
    """A call of `run.change(**changes)`, then one of `run.advance(steps, trained)`; either may do nothing."""

    changes: dict[str, float]
    steps: int
    trained: Trained | None = None  # None: what the config's scheme says


class StageLog:
    """Reads a run's stages in order; asked again, it reads only what is new.

    Stages are derived from the records and the changes, so that they cannot contradict them.
    """

    def __init__(self, first_config: ElectraConfig) -> None:
        """Start with nothing read; `first_config` is the config that the run began with."""
        self._first_config = first_config
        self._stages: list[Stage] = []
        self._n_records = self._n_changes = 0

    def read(self, history: Sequence[StepRecord], changes: Sequence[Change]) -> list[Stage]:
        """Read what is new in a run's history and changes, and return all stages so far."""
        # Another thread may train meanwhile. The records are copied first: a change that preceded them is then there.
        for record in history[self._n_records :]:
            self._read_changes(changes)
            usual = trained_at(record.step - 1, self._first_config)
            trained = None if record.trained == usual else record.trained
            last = self._stages[-1] if self._stages else None
            if last is not None and (last.steps == 0 or last.trained == trained):
                self._stages[-1] = Stage(last.changes, last.steps + 1, trained)
            else:
                self._stages.append(Stage({}, 1, trained))
            self._n_records += 1
        self._read_changes(changes)
        return list(self._stages)

    def _read_changes(self, changes: Sequence[Change]) -> None:
        """Read the changes that were made before the next record."""
        while self._n_changes < len(changes):
            change = changes[self._n_changes]
            if change.step > self._n_records:
                return
            last = self._stages[-1] if self._stages else None
            if last is not None and last.steps == 0:
                self._stages[-1] = Stage(last.changes | {change.field: change.after}, 0)
            else:
                self._stages.append(Stage({change.field: change.after}, 0))
            self._n_changes += 1
