"""For the tests of exercises: functions that look written in a cell, and the feedback on a wrong answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from electra_edu.course.exercises import Exercise, examine


def assert_feedback(exercise: Exercise, wrong: Callable[..., Any], symptom: str, cause: str) -> None:
    """Check that `wrong` fails, and that the feedback names this symptom and this cause."""
    feedback = examine(exercise, wrong)
    assert feedback.state == "wrong"
    assert feedback.fault is not None
    assert symptom in feedback.fault.symptom
    assert cause in feedback.fault.cause


def written(folder: Path, source: str, name: str) -> Callable[..., Any]:
    """Define a function from a file, as a cell does: its source can be read."""
    place = folder / f"cell_{len(list(folder.iterdir()))}.py"
    place.write_text(source)
    namespace: dict[str, Any] = {"torch": torch}
    exec(compile(source, str(place), "exec"), namespace)
    function: Callable[..., Any] = namespace[name]
    return function
