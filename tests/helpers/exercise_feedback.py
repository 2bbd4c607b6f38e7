"""For the tests of exercises: what a wrong answer is told."""

from collections.abc import Callable
from typing import Any

from electra_edu.course.exercises import Exercise, examine


def assert_told(exercise: Exercise, wrong: Callable[..., Any], symptom: str, cause: str) -> None:
    """Check that `wrong` is wrong, and that what was seen and why hold these words."""
    feedback = examine(exercise, wrong)
    assert feedback.state == "wrong"
    assert feedback.fault is not None
    assert symptom in feedback.fault.symptom
    assert cause in feedback.fault.cause
