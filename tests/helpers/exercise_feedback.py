"""For the tests of exercises: the feedback on a wrong answer."""

from collections.abc import Callable
from typing import Any

from electra_edu.course.exercises import Exercise, examine


def assert_feedback(exercise: Exercise, wrong: Callable[..., Any], symptom: str, cause: str) -> None:
    """Check that `wrong` fails, and that the feedback names this symptom and this cause."""
    feedback = examine(exercise, wrong)
    assert feedback.state == "wrong"
    assert feedback.fault is not None
    assert symptom in feedback.fault.symptom
    assert cause in feedback.fault.cause
