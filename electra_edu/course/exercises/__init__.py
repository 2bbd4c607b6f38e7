"""The exercises: functions that the learner writes or repairs, checked by what they do."""

from electra_edu.course.content_files import unknown_name
from electra_edu.course.exercises import (
    choose_positions,
    draw,
    fill_in,
    joint_step,
    learning_share,
    mlm_loss,
    precision_recall,
    rtd_bits,
    rtd_loss,
)
from electra_edu.course.exercises.exercise import Exercise, Fault, Feedback, LearnerFunction, examine

_MODULES = (
    learning_share,
    choose_positions,
    mlm_loss,
    draw,
    fill_in,
    precision_recall,
    rtd_loss,
    rtd_bits,
    joint_step,
)
EXERCISES: dict[str, Exercise] = {module.EXERCISE.name: module.EXERCISE for module in _MODULES}


def exercise(name: str) -> Exercise:
    """Return an exercise by its name; raises ElectraEduError where there is none."""
    if not isinstance(name, str) or name not in EXERCISES:
        raise unknown_name("exercise", name, EXERCISES)
    return EXERCISES[name]


__all__ = ["EXERCISES", "Exercise", "Fault", "Feedback", "LearnerFunction", "examine", "exercise"]
