"""The parts of an ELECTRA that the learner has written in exercises, and the library's own for the others."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from electra_edu.course.exercises import EXERCISES, examine
from electra_edu.course.progress import Progress, progress_or_default

PARTS = ("choose_positions", "mlm_loss", "draw", "fill_in", "rtd_loss", "joint_step")


@dataclass(frozen=True)
class Parts:
    """Functions by the names of their exercises."""

    functions: dict[str, Callable[..., Any]]
    yours: tuple[str, ...]  # names of those that the learner wrote
    notes: tuple[str, ...] = ()  # about saved solutions that are not used

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a part: `parts.rtd_loss`."""
        try:
            return self.functions[name]
        except KeyError:
            raise AttributeError(f"There is no part {name!r}; there are {', '.join(self.functions)}.") from None

    def __str__(self) -> str:
        """Say how many parts are the learner's."""
        names = f": {', '.join(self.yours)}" if self.yours else ""
        return " ".join([f"{len(self.yours)} of {len(self.functions)} parts are yours{names}.", *self.notes])


def parts(progress: Progress | None = None) -> Parts:
    """Collect the parts: the learner's function where it passed its check and passes it again, else the library's.

    Its source was saved when it passed, and is run with nothing but `torch`, `F` and `math` at hand. A source that did
    not pass in this user's own kernel on this computer is not run, and a note says so.
    """
    progress = progress_or_default(progress)
    functions: dict[str, Callable[..., Any]] = {}
    yours, notes = [], []
    for name in PARTS:
        exercise = EXERCISES[name]
        functions[name] = exercise.reference
        source = progress.source(exercise.lesson, name)
        if source is None:
            continue
        if source.problem:
            notes.append(f"Your {name} is not run, ours is used: {source.problem}.")
            continue
        try:
            mine = _loaded(name, source.text)
        except (Exception, SystemExit) as error:
            notes.append(f"Your {name} needs something that is not here ({error}): ours is used.")
            continue
        if examine(exercise, mine).state == "right":
            functions[name] = mine
            yours.append(name)
        else:
            notes.append(f"Your {name} does not pass its check by itself: ours is used.")
    return Parts(functions, tuple(yours), tuple(notes))


def _loaded(name: str, source: str) -> Callable[..., Any]:
    """Run the learner's own source, which was signed on this computer, and return the function it defines."""
    namespace: dict[str, Any] = {"torch": torch, "F": F, "math": math}
    exec(compile(source, f"<your {name}>", "exec"), namespace)
    function = namespace[name]
    if not callable(function):
        raise TypeError(f"{name} is no function")
    return function  # type: ignore[no-any-return]
