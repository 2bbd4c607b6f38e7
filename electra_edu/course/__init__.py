"""The course: content as data files and its logic; nothing here displays anything."""

from electra_edu.course import chapter_numbers
from electra_edu.course.electra_parts import parts
from electra_edu.course.exercises import EXERCISES, exercise
from electra_edu.course.glossary import claims, glossary
from electra_edu.course.lessons import lesson, lessons
from electra_edu.course.progress import Progress

__all__ = ["EXERCISES", "Progress", "chapter_numbers", "claims", "exercise", "glossary", "lesson", "lessons", "parts"]
