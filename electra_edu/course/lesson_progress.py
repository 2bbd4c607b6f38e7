"""How far a learner has come in a lesson."""

from electra_edu.course.lessons import Lesson
from electra_edu.course.progress import LessonProgress


def standing(lesson: Lesson, done: LessonProgress) -> list[tuple[str, int, int]]:
    """Count what was done of what the lesson has: ("quiz", 2, 4), …; what it has none of is left out."""
    kinds = (
        ("quiz", done.answers, [question.id for question in lesson.quiz]),
        ("exercises", done.exercises, lesson.exercises),
        ("predictions", done.guesses, [task.id for task in lesson.predictions]),
    )
    return [(kind, sum(each in kept for each in known), len(known)) for kind, kept, known in kinds if known]
