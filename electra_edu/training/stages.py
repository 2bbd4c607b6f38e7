"""What was asked of a run, so that it can be asked again: changes of settings, and steps taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from electra_edu.config import ElectraConfig
from electra_edu.objectives import Trained
from electra_edu.training.records import Change, StepRecord
from electra_edu.training.schemes import trained_at


@dataclass(frozen=True)
class Stage:
    """Some settings are changed (perhaps none), then steps are taken (perhaps none).

    As calls: `run.change(**changes)`, then `run.advance(steps, trained)`.
    """

    changes: dict[str, float]
    steps: int
    trained: Trained | None = None  # None: what the config's scheme says


def stages(config: ElectraConfig, history: Sequence[StepRecord], changes: Sequence[Change]) -> list[Stage]:
    """Return the stages that lead from a new run with `config` to this history and these changes, in order.

    They are read from the records, so that they cannot contradict them. The scheme of a run is no live setting: what
    it says of each step follows from `config`.
    """

    def asked(record: StepRecord) -> Trained | None:
        return None if record.trained == trained_at(record.step - 1, config) else record.trained

    made: list[Stage] = []
    changed = {step: {change.field: change.after for change in group} for step, group in _by_step(changes)}
    last = len(history)
    starts = sorted({0, last, *changed})
    for start, end in zip(starts, [*starts[1:], last], strict=True):
        parts = [(len(list(group)), trained) for trained, group in groupby(history[start:end], key=asked)]
        settings = changed.get(start, {})
        if settings and not parts:
            parts = [(0, None)]
        for steps, trained in parts:
            made.append(Stage(settings, steps, trained))
            settings = {}
    return made


def _by_step(changes: Sequence[Change]) -> list[tuple[int, list[Change]]]:
    return [(step, list(group)) for step, group in groupby(changes, key=lambda change: change.step)]
