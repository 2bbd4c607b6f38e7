"""How much of a lesson a learner has done."""

from electra_edu.course.lessons import Lesson
from electra_edu.course.progress import LessonProgress


def completion(lesson: Lesson, done: LessonProgress) -> list[tuple[str, int, int]]:
    """Return (kind, done, all) of what the lesson has, such as ("quiz", 2, 4). What it has none of is left out."""
    kinds = (
        ("quiz", done.answers, [question.id for question in lesson.quiz]),
        ("exercises", done.exercises, lesson.exercises),
        ("predictions", done.guesses, lesson.predictions),
    )
    return [(kind, sum(each in finished for each in known), len(known)) for kind, finished, known in kinds if known]
